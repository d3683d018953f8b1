// What a search means: research cases B, C1, D and E that are judged here.
#include "gateways.hpp"

#include <catch2/catch.hpp>

#include "made_up.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;
using portmap::Problem;

namespace {

using Codes = std::vector<std::string>;

Judgement judged(Search made, SeenByStun stun = seen()) {
    made.seen = std::move(stun);
    const Judgement judgement = judge_gateways(made);
    CHECK(json::parse(json::to_text(judgement.data)).has_value());
    CHECK_FALSE(judgement.summary.empty());
    return judgement;
}

}  // namespace

TEST_CASE("a router in order, whose address is the one that servers see") {
    portmap::GatewayReport all = gateway();
    all.natpmp = natpmp_status(public_address);
    all.pcp = natpmp_status(std::nullopt, 77);
    const Judgement judgement = judged(search({igd()}, all));
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(codes(judgement) == Codes{"portmap.upnp", "portmap.natpmp", "portmap.pcp"});
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/usable").as_array().size() == 3);
    CHECK(data.at_pointer("/outside") == "same-as-stun");
    CHECK(data.at_pointer("/nat_layers") == 1);
    CHECK(data.at_pointer("/external_address") == "203.0.113.7");
    CHECK(data.at_pointer("/gateways/0/natpmp/external_address") == "203.0.113.7");
    CHECK(data.at_pointer("/gateways/0/natpmp/rtt_ms") == 0.4);
    CHECK(data.at_pointer("/gateways/0/pcp/epoch_s") == 77);
    CHECK(data.at_pointer("/devices/0/model") == "Router 9");
    CHECK(data.at_pointer("/devices/0/manufacturer") == "ACME");
    CHECK(data.at_pointer("/devices/0/uptime_s") == 1000);
    CHECK(data.at_pointer("/devices/0/control_url") == "http://192.168.1.1:5000/ctl");
}

TEST_CASE("without stun.nat nothing is said of the number of NATs") {
    const Judgement judgement = judged(search({igd()}), {});
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.data.at("nat_layers").is_null());
    CHECK(judgement.data.at("nat_layers_reason") == "not-compared");
    CHECK(judgement.summary.find("not compared") != std::string::npos);
}

TEST_CASE("B1: a provider's shared address is named as such, beside the one that servers see") {
    const Judgement judgement = judged(search({igd(ip("100.64.7.2"))}));
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.has("portmap.external-private"));
    CHECK(judgement.has("nat.double-nat"));
    CHECK(judgement.has("nat.cgnat"));
    const std::string& message = find(judgement, "portmap.external-private")->message;
    CHECK(message.find("100.64.7.2") != std::string::npos);
    CHECK(message.find("203.0.113.7") != std::string::npos);
    CHECK(judgement.data.at("nat_layers") == 2);
}

TEST_CASE("B2: a private address is a double NAT, another public one is not decided") {
    const Judgement two = judged(search({igd(ip("10.0.0.2"))}));
    CHECK(two.has("nat.double-nat"));
    CHECK(two.has("portmap.external-private"));
    CHECK_FALSE(two.has("nat.cgnat"));
    CHECK(two.status == P2PDIAG_WARN);
    CHECK(two.data.at("nat_layers") == 2);

    const Judgement open = judged(search({igd(ip("198.51.100.9"))}));
    const Finding* finding = find(open, "nat.double-nat");
    REQUIRE(finding != nullptr);
    CHECK(finding->severity == Severity::info);
    CHECK(finding->evidence.at("certain") == false);
    CHECK(finding->message.find("not decided") != std::string::npos);
    CHECK(finding->message.find("VPN") != std::string::npos);
    CHECK_FALSE(open.has("portmap.external-private"));
    CHECK(open.status == P2PDIAG_WARN);
    CHECK(open.data.at("nat_layers").is_null());
}

TEST_CASE("B3: a hop of the provider's counts only beside a refusal") {
    SeenByStun stun = seen();
    stun.carrier_hop = ip("100.64.7.1");
    CHECK(codes(judged(search({igd()}), stun)) == Codes{"portmap.upnp"});

    // As miniupnpd is behind a carrier: no address, and "network failure".
    portmap::IgdReport nameless = igd(std::nullopt);
    portmap::GatewayReport refusing = gateway();
    refusing.natpmp = failure(Problem::no_external_address, 3, "network failure");
    const Judgement judgement = judged(search({nameless}, refusing), stun);
    CHECK(judgement.status == P2PDIAG_WARN);
    REQUIRE(judgement.has("portmap.refused"));
    CHECK(find(judgement, "portmap.refused")->evidence.at("no_outside_address") == true);
    CHECK(judgement.has("nat.double-nat"));
    CHECK(judgement.has("nat.cgnat"));
    CHECK(judgement.data.at("nat_layers").is_null());
    CHECK_FALSE(judged(search({nameless}, refusing)).has("nat.cgnat"));

    // PCP answers all the same: the others tell that it will not do it.
    refusing.pcp = natpmp_status(std::nullopt);
    CHECK(judged(search({nameless}, refusing)).data.at("usable").as_array().empty());
    // Alone, it tells nothing of its address.
    portmap::GatewayReport pcp = gateway();
    pcp.pcp = natpmp_status(std::nullopt);
    CHECK(judged(search({}, pcp)).status == P2PDIAG_PASS);
    const Judgement perhaps = judged(search({}, pcp), stun);
    CHECK(perhaps.status == P2PDIAG_WARN);
    CHECK(find(perhaps, "nat.double-nat")->severity == Severity::info);
}

TEST_CASE("B4: PCP ADDRESS_MISMATCH is a NAT on this side of the router") {
    portmap::GatewayReport mismatch = gateway();
    mismatch.pcp = failure(Problem::address_mismatch, 12);
    const Judgement judgement = judged(search({}, mismatch));
    CHECK(codes(judgement) == Codes{"nat.double-nat"});
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.data.at("nat_layers") == 2);
}

TEST_CASE("C1: an outside address of 0.0.0.0, 127.x or none is not offered") {
    for (const char* text : {"0.0.0.0", "127.0.0.1"}) {
        const Judgement judgement = judged(search({igd(ip(text))}));
        CHECK(codes(judgement) == Codes{"portmap.external-private"});
        CHECK(judgement.status == P2PDIAG_WARN);
        CHECK(judgement.data.at("usable").as_array().empty());
        CHECK(judgement.findings[0].message.find(text) != std::string::npos);
    }
    portmap::GatewayReport pmp = gateway();
    pmp.natpmp = natpmp_status(IpAddress());
    const Judgement by_natpmp = judged(search({}, pmp));
    CHECK(by_natpmp.has("portmap.external-private"));
    CHECK(by_natpmp.status == P2PDIAG_WARN);
    CHECK(by_natpmp.data.at("usable").as_array().empty());

    const Judgement empty = judged(search({igd(std::nullopt)}));
    CHECK(codes(empty) == Codes{"portmap.refused"});
    CHECK(empty.findings[0].message.find("names no outside address") != std::string::npos);
    portmap::GatewayReport zero = gateway();
    zero.natpmp = natpmp_status(ip("0.0.0.0"));
    CHECK(judged(search({}, zero)).data.at("usable").as_array().empty());
}

TEST_CASE("a router that is not connected, or does not allow it, is told apart from silence") {
    portmap::IgdReport off = igd(std::nullopt);
    status_of(off).connection = "Disconnected";
    const Judgement judgement = judged(search({off}));
    CHECK(codes(judgement) == Codes{"portmap.refused"});
    CHECK(judgement.findings[0].message.find("Disconnected") != std::string::npos);
    CHECK(judgement.findings[0].evidence.at("no_outside_address") == false);

    portmap::GatewayReport refusing = gateway();
    refusing.natpmp = failure(Problem::refused, 2, "not authorised");
    CHECK(codes(judged(search({}, refusing))) == Codes{"portmap.refused"});

    // E1: NAT-PMP's answer to PCP is no refusal.
    portmap::GatewayReport old = gateway();
    old.natpmp = natpmp_status(public_address);
    old.pcp = failure(Problem::unsupported, 1);
    const Judgement natpmp = judged(search({}, old));
    CHECK(codes(natpmp) == Codes{"portmap.natpmp"});
    CHECK(natpmp.status == P2PDIAG_PASS);
}

TEST_CASE("silence of a router that answered the search is no refusal") {
    portmap::IgdReport slow = igd(std::nullopt);
    slow.status.reset();
    const auto undecided = [&](Search made) {
        const Judgement judgement = judged(std::move(made));
        CHECK(judgement.status == P2PDIAG_UNKNOWN);
        CHECK(codes(judgement).empty());
        CHECK(judgement.data.at("usable").as_array().empty());
    };
    undecided(search({slow}));
    slow.status = failure(Problem::no_answer);
    undecided(search({slow}));
    slow.status = failure(Problem::absent);
    undecided(search({slow}));
    portmap::GatewayReport odd = gateway();
    odd.pcp = failure(Problem::malformed);
    undecided(search({}, odd));

    // A pinhole that was not read in time, beside a mapping that works.
    portmap::IgdReport six = igd();
    portmap::Service firewall;
    firewall.router = ip("2001:db8::1");
    firewall.control_url = "http://[2001:db8::1]:5000/6fc";
    about(six).firewall = firewall;
    Search both = search({six});
    both.ipv6 = ip("2001:db8::7");
    CHECK(codes(judged(both)) == Codes{"portmap.upnp"});
    // Its firewall stays closed, and of forwards it says nothing.
    both.found.igds[0].status.reset();
    both.found.igds[0].firewall = portmap::FirewallStatus{true, false};
    CHECK(judged(both).status == P2PDIAG_UNKNOWN);
}

TEST_CASE("nobody answers") {
    const Judgement none = judged(search());
    CHECK(none.status == P2PDIAG_WARN);
    CHECK(codes(none) == Codes{"portmap.none"});
    CHECK(none.findings[0].severity == Severity::warning);
    const json::value evidence = none.findings[0].evidence;
    CHECK(evidence.at_pointer("/tried/0/natpmp") == "absent");
    CHECK(evidence.at_pointer("/tried/0/pcp") == "no-answer");

    SeenByStun open = seen();
    open.behind_nat = false;
    const Judgement needless = judged(search(), open);
    CHECK(needless.status == P2PDIAG_SKIP);
    CHECK(needless.findings[0].severity == Severity::info);

    Search kept = search();
    kept.found.gateways[0].pcp = portmap::Failure{portmap::Problem::kept_here, 0, "EPERM", {}};
    const Judgement not_asked = judged(kept);
    CHECK(not_asked.status == P2PDIAG_UNKNOWN);
    CHECK(not_asked.findings[0].severity == Severity::info);
    CHECK(not_asked.summary.find("this machine's own firewall") != std::string::npos);

    Search cut = search();
    cut.complete = false;
    cut.found.gateways[0].natpmp.reset();
    const Judgement unknown = judged(cut);
    CHECK(unknown.status == P2PDIAG_UNKNOWN);
    CHECK(unknown.findings.empty());

    CHECK(judged(Search{}).status == P2PDIAG_SKIP);
}

TEST_CASE("D3: a television is listed, and is nobody to ask") {
    const Judgement alone = judged(search({television()}));
    CHECK(codes(alone) == Codes{"portmap.none"});
    CHECK(alone.findings[0].message.find("1 other UPnP") != std::string::npos);
    const Judgement both = judged(search({television(), igd()}));
    CHECK(codes(both) == Codes{"portmap.upnp"});
    CHECK(both.data.at("devices").as_array().size() == 2);
}

TEST_CASE("D4, D5: several routers, and which one is on the way") {
    portmap::IgdReport other = igd(ip("198.51.100.9"), ip("192.168.1.254"));
    other.on_gateway = other.preferred = false;
    const Judgement judgement = judged(search({other, igd()}));
    CHECK(judgement.status == P2PDIAG_WARN);
    const Finding* finding = find(judgement, "portmap.multiple-gateways");
    REQUIRE(finding != nullptr);
    CHECK(
        finding->message.find("192.168.1.1 (on the way to the internet and its address is ours)") !=
        std::string::npos);
    CHECK(finding->message.find("192.168.1.254") != std::string::npos);
    // The one on the way decides.
    CHECK(judgement.data.at("external_address") == "203.0.113.7");
    CHECK_FALSE(judgement.has("nat.double-nat"));
    CHECK(find(judgement, "portmap.upnp")->evidence.contains("not_a_default_gateway"));

    // One router, by two protocols and two answers, is one router.
    portmap::GatewayReport natpmp = gateway();
    natpmp.natpmp = natpmp_status(public_address);
    CHECK_FALSE(judged(search({igd(), igd()}, natpmp)).has("portmap.multiple-gateways"));
}

TEST_CASE("D1: late answers are marked") {
    portmap::IgdReport slow = igd();
    slow.after = Milliseconds(2700);
    const Judgement judgement = judged(search({slow}));
    CHECK(json::value(judgement.data).at_pointer("/devices/0/late") == true);
    CHECK(find(judgement, "portmap.upnp")->evidence.contains("late_answers"));
}

TEST_CASE("D1: a search that ended early does not say that nobody else is there") {
    portmap::GatewayReport one = gateway();
    one.pcp = natpmp_status(std::nullopt);
    const auto message = [&](bool early, std::vector<portmap::IgdReport> igds) {
        Search made = search(std::move(igds), one);
        made.found.ended_early = early;
        made.found.took = Milliseconds(1000);
        return find(judged(made), "portmap.pcp")->message;
    };
    CHECK(message(true, {}).find("No UPnP router answered within 1000 ms") != std::string::npos);
    CHECK(message(true, {television()}).find("one that takes longer") != std::string::npos);
    CHECK(message(true, {igd()}).find("longer") == std::string::npos);
    // To the end of the window: then there is none.
    CHECK(message(false, {}).find("longer") == std::string::npos);
}

TEST_CASE("D8: a description that was refused says why, and is no offer") {
    portmap::IgdReport foreign = igd();
    foreign.description = failure(Problem::foreign_url, 0, "LOCATION leads to 10.9.9.9");
    foreign.status.reset();
    foreign.mappings.reset();
    const Judgement judgement = judged(search({foreign}));
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/devices/0/problems/description/problem") == "foreign-url");
    CHECK(data.at_pointer("/usable").as_array().empty());
    // It answers, so nobody says that none does.
    CHECK(judgement.status == P2PDIAG_UNKNOWN);
    CHECK_FALSE(judgement.has("portmap.none"));
    CHECK(judgement.summary.find("192.168.1.1, foreign-url") != std::string::npos);
    foreign.description.reset();
    CHECK(judged(search({foreign})).status == P2PDIAG_UNKNOWN);
    // Somebody else's is of no account.
    foreign.on_gateway = foreign.preferred = false;
    CHECK(codes(judged(search({foreign}))) == Codes{"portmap.none"});
}

TEST_CASE("a device that answers from two addresses and names one is listed once") {
    portmap::IgdReport link_local = igd(public_address, ip("fe80::1"));
    const portmap::IgdReport global = igd(public_address, ip("2001:db8::1"));
    link_local.answer.location = global.answer.location;
    link_local.description = failure(Problem::foreign_url);
    const auto listed = [](std::vector<portmap::IgdReport> all) {
        return judge_gateways(search(std::move(all))).data.at("devices").as_array().size();
    };
    CHECK(listed({link_local, global}) == 1);
    // Nobody else answers for what it names.
    CHECK(listed({link_local}) == 1);
    portmap::IgdReport liar = link_local;
    liar.answer.location = "http://192.0.2.1/";
    CHECK(listed({liar, global}) == 2);
}

TEST_CASE("E4: a PCP client's nonce in the list is a warning, and is not repeated") {
    portmap::IgdReport leaky = igd();
    (**leaky.mappings).entries = {mapping(8000, "192.168.1.9", "PCP MAP 0123456789abcdef01234567"),
                                  mapping(8001, "192.168.1.9", "PCP MAP of somebody")};
    const Judgement judgement = judged(search({leaky}));
    const Finding* finding = find(judgement, "portmap.upnp");
    REQUIRE(finding != nullptr);
    CHECK(finding->severity == Severity::warning);
    CHECK(finding->message.find("nonces") != std::string::npos);
    CHECK(finding->message.find("0123456789abcdef") == std::string::npos);
    CHECK(finding->evidence.at("security_pcp_nonces_shown") == 1);
    CHECK(judgement.status == P2PDIAG_WARN);
    (**leaky.mappings).entries.erase((**leaky.mappings).entries.begin());
    CHECK(find(judged(search({leaky})), "portmap.upnp")->severity == Severity::info);
    const std::string text = json::to_text(judgement.data);
    CHECK(text.find("0123456789abcdef") == std::string::npos);
    CHECK(text.find("nonce left out") != std::string::npos);
    CHECK(text.find("of somebody") != std::string::npos);
}

TEST_CASE("IPv6 pinholes are offered where there is an address to lead them to") {
    portmap::IgdReport six = igd(public_address, ip("2001:db8::1"));
    about(six).mapping.reset();
    portmap::Service firewall;
    firewall.router = ip("2001:db8::1");
    firewall.local = ip("2001:db8::7");
    firewall.control_url = "http://[2001:db8::1]:5000/6fc";
    firewall.service_type = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1";
    about(six).firewall = firewall;
    six.firewall = portmap::FirewallStatus{true, true};
    Search made = search({six});
    CHECK(offers(made.found, std::nullopt).empty());
    made.ipv6 = ip("2001:db8::7");
    auto all = offers(made.found, made.ipv6);
    REQUIRE(all.size() == 1);
    CHECK(all[0].pinhole);
    CHECK(all[0].ready);
    made.found.igds[0].firewall = portmap::FirewallStatus{true, false};
    all = offers(made.found, made.ipv6);
    REQUIRE(all.size() == 1);
    CHECK_FALSE(all[0].ready);
}

TEST_CASE("who is asked first: on the way, then UPnP, PCP, NAT-PMP") {
    portmap::GatewayReport all = gateway();
    all.natpmp = natpmp_status(public_address);
    all.pcp = natpmp_status(std::nullopt);
    portmap::IgdReport other = igd(public_address, ip("192.168.1.254"));
    other.preferred = false;
    const auto made = offers(search({other, igd()}, all).found, std::nullopt);
    REQUIRE(made.size() == 4);
    CHECK(made[0].service.control_url == "http://192.168.1.1:5000/ctl");
    CHECK(made[1].service.protocol == portmap::Protocol::pcp);
    CHECK(made[2].service.protocol == portmap::Protocol::natpmp);
    CHECK(made[3].service.router == ip("192.168.1.254"));
    // PCP tells no address, and borrows name and address from the same router's UPnP.
    CHECK(made[1].external == public_address);
    CHECK(made[1].router_name == "192.168.1.1 (ACME Router 9)");
}

TEST_CASE("C1: the target port is forwarded to another machine") {
    const auto with = [](std::vector<portmap::IgdMapping> entries) {
        portmap::IgdReport router = igd();
        (**router.mappings).entries = std::move(entries);
        Search made = search({router});
        made.target_port = 8000;
        made.own_addresses = {local_address};
        return made;
    };
    const Judgement taken =
        judged(with({mapping(8000, "192.168.1.99"), mapping(8001, "192.168.1.99")}));
    REQUIRE(taken.has("portmap.conflict"));
    const Finding* finding = find(taken, "portmap.conflict");
    CHECK(finding->severity == Severity::info);
    CHECK(finding->message.find("UDP port 8000") != std::string::npos);
    CHECK(finding->message.find("192.168.1.99:8000") != std::string::npos);
    CHECK(finding->evidence.at("protocol") == "udp");
    CHECK(taken.status == P2PDIAG_PASS);
    // This machine's own, one that is switched off, one for a single caller, and an address that
    // nobody told.
    portmap::IgdMapping off = mapping(8000, "192.168.1.99");
    off.enabled = false;
    portmap::IgdMapping single = mapping(8000, "192.168.1.99");
    single.remote_host = "203.0.113.1";
    portmap::IgdMapping nowhere = mapping(8000, "192.168.1.99");
    nowhere.internal_address.reset();
    for (const auto& entry : {mapping(8000, "192.168.1.7"), off, single, nowhere}) {
        CHECK_FALSE(judged(with({entry})).has("portmap.conflict"));
    }
    // Whose is whose is not known; nor whether another router matters.
    Search unknown = with({mapping(8000, "192.168.1.99")});
    unknown.own_addresses.clear();
    CHECK_FALSE(judged(unknown).has("portmap.conflict"));
    Search elsewhere = with({mapping(8000, "192.168.1.99")});
    elsewhere.found.igds[0].preferred = false;
    CHECK_FALSE(judged(elsewhere).has("portmap.conflict"));
}
