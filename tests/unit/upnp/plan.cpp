// What `forward add` would do with routers of all kinds.
#include "forward_plan.hpp"

#include <catch2/catch.hpp>

#include "made_up.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;
using portmap::InForce;
using portmap::Problem;
using portmap::Protocol;

namespace {

Wanted wanted(std::uint16_t port = 8000) {
    Wanted made;
    made.port = port;
    made.transports = {Transport::udp, Transport::tcp};
    return made;
}

Judgement plan(const Wanted& what, const Situation& situation) {
    return make_plan(what, situation, [] { return portmap::PcpNonce{1, 2, 3}; });
}

Situation of(Search made) {
    Situation situation;
    situation.search = std::move(made);
    return situation;
}

// One that speaks everything.
Search everything() {
    portmap::GatewayReport all = gateway();
    all.natpmp = natpmp_status(public_address);
    all.pcp = natpmp_status(std::nullopt);
    return search({igd()}, all);
}

// As they come back from the journal.
std::vector<Step> steps(const Judgement& judgement) {
    std::vector<Step> all;
    const json::value read = json::parse(json::to_text(judgement.data)).value();
    for (const json::value& one : read.at("steps").as_array()) {
        all.push_back(parse_step(one.at("step").as_object()).value());
    }
    return all;
}

std::string notes(const Judgement& judgement) {
    std::string text;
    for (const json::value& note : judgement.data.at("notes").as_array()) {
        text += std::string(note.as_string()) + "\n";
    }
    return text;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

OpenForward open_forward(Protocol protocol, InForce in_force, Transport transport) {
    Wanted what = wanted();
    what.transports = {transport};
    what.via = protocol;
    OpenForward open;
    open.id = "0123abcd";
    open.step = steps(plan(what, of(everything()))).front();
    open.in_force = in_force;
    Record record;
    portmap::MapGrant grant;
    grant.internal_port = grant.external_port = 8000;
    record.attempts.push_back({0, 1, grant});
    open.record = record;
    return open;
}

}  // namespace

TEST_CASE("a step for each transport, with every way to ask in order") {
    const Judgement judgement = plan(wanted(), of(everything()));
    CHECK(judgement.status == P2PDIAG_PASS);
    const auto made = steps(judgement);
    REQUIRE(made.size() == 2);
    REQUIRE(made[0].tries.size() == 3);
    CHECK(made[0].tries[0].service.protocol == Protocol::upnp);
    CHECK(made[0].tries[1].service.protocol == Protocol::pcp);
    CHECK(made[0].tries[2].service.protocol == Protocol::natpmp);
    CHECK(made[0].request().transport == Transport::udp);
    CHECK(made[1].request().transport == Transport::tcp);
    CHECK(made[0].request().lifetime == portmap::Seconds(7200));
    CHECK_FALSE(made[0].request().exact);
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/steps/0/match/port") == 8000);
    CHECK(data.at_pointer("/steps/1/match/protocol") == "tcp");
    const std::string title(data.at_pointer("/steps/0/title").as_string());
    CHECK(contains(title, "UDP port 8000"));
    CHECK(contains(title, "192.168.1.7:8000"));
    CHECK(contains(title, "for 2 h, by UPnP"));
    CHECK(contains(notes(judgement), "If that fails: PCP, then NAT-PMP."));
}

TEST_CASE("--via chooses one, and says what there is when it is not there") {
    Wanted what = wanted();
    what.via = Protocol::natpmp;
    const auto made = steps(plan(what, of(everything())));
    REQUIRE(made.size() == 2);
    CHECK(made[0].tries.size() == 1);
    CHECK(made[0].tries[0].service.protocol == Protocol::natpmp);

    const Judgement other = plan(what, of(search({igd()})));
    CHECK(other.status == P2PDIAG_FAIL);
    CHECK(contains(other.summary, "upnp"));
    CHECK(contains(notes(other), "--via"));
}

TEST_CASE("--external is exact") {
    Wanted what = wanted();
    what.external = 9000;
    const auto made = steps(plan(what, of(everything())));
    CHECK(made[0].request().external_port == 9000);
    CHECK(made[0].request().internal_port == 8000);
    CHECK(made[0].request().exact);
}

TEST_CASE("718: whose port it is, and another one that is free") {
    Situation situation = of(everything());
    const std::string url = "http://192.168.1.1:5000/ctl";
    auto missing = lookups_to_make(wanted(), situation);
    REQUIRE(missing.size() == 2);
    CHECK(missing[0].control_url == url);
    CHECK(missing[0].external_port == 8000);
    situation.lookups = {{url, Transport::udp, 8000, mapping(8000, "192.168.1.99"), true},
                         {url, Transport::tcp, 8000, std::nullopt, true}};
    // Now those that could take its place.
    missing = lookups_to_make(wanted(), situation);
    REQUIRE(missing.size() == 8);
    for (Lookup& lookup : missing) {
        if (lookup.external_port == 8001 && lookup.transport == Transport::tcp) {
            lookup.holder = mapping(8001, "192.168.1.98", "other", Transport::tcp);
        }
        if (lookup.external_port == 8002) lookup.known = false;
        situation.lookups.push_back(lookup);
    }
    CHECK(lookups_to_make(wanted(), situation).empty());
    const Judgement judgement = plan(wanted(), situation);
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(codes(judgement) == std::vector<std::string>{"portmap.conflict"});
    CHECK(contains(judgement.summary, "192.168.1.99:8000"));
    CHECK(contains(judgement.summary, "game"));
    // 8001 is taken for TCP, of 8002 the router did not say.
    CHECK(judgement.findings[0].evidence.at("free_external_port") == 8003);
    CHECK(contains(notes(judgement), "--external 8003"));
    CHECK(judgement.data.at("steps").as_array().empty());
}

TEST_CASE("a port of this machine for another port of its own is a conflict too") {
    Situation situation = of(everything());
    portmap::IgdMapping holder = mapping(8000, "192.168.1.7");
    holder.internal_port = 1234;
    situation.lookups = {{"http://192.168.1.1:5000/ctl", Transport::udp, 8000, holder, true}};
    CHECK(plan(wanted(), situation).status == P2PDIAG_FAIL);
}

TEST_CASE("what another program of this machine had forwarded stays its own") {
    Situation situation = of(everything());
    const std::string url = "http://192.168.1.1:5000/ctl";
    situation.lookups = {{url, Transport::udp, 8000, mapping(8000, "192.168.1.7", "my chat"), true},
                         {url, Transport::tcp, 8000, std::nullopt, true}};
    const Judgement judgement = plan(wanted(), situation);
    CHECK(judgement.status == P2PDIAG_PASS);
    const auto made = steps(judgement);
    REQUIRE(made.size() == 1);
    CHECK(made[0].request().transport == Transport::tcp);
    CHECK(contains(notes(judgement), "my chat"));

    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    CHECK(plan(udp, situation).status == P2PDIAG_SKIP);
    // Ours by its name, and in no journal that is known.
    situation.lookups[0].holder->description = "p2pdiag 89abcdef";
    CHECK(contains(notes(plan(udp, situation)), "another journal, as another user has (89abcdef)"));
    CHECK(plan(udp, situation).status == P2PDIAG_SKIP);
    // What that user's upnp.mapping left when it was killed does not last: no all-clear.
    situation.lookups[0].holder->lease = portmap::Seconds(90);
    const Judgement test = plan(udp, situation);
    CHECK(test.status == P2PDIAG_UNKNOWN);
    CHECK(contains(test.summary, "two minutes more"));
    CHECK(contains(notes(test), "a test of upnp.mapping that was killed"));
}

TEST_CASE("a forward of ours gets its time anew, rather than a second one beside it") {
    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    udp.lease = portmap::Seconds(3600);
    Situation situation = of(everything());
    const auto renewed = [&](Protocol protocol, InForce in_force) {
        situation.open = {open_forward(protocol, in_force, Transport::udp)};
        const Judgement judgement = plan(udp, situation);
        CHECK(judgement.status == P2PDIAG_PASS);
        REQUIRE(steps(judgement).size() == 1);
        const json::value data = judgement.data;
        CHECK(data.at_pointer("/steps/0/continues") == "0123abcd");
        CHECK(contains(std::string(data.at_pointer("/steps/0/title").as_string()),
                       "for another 1 h, by " + std::string(display_name(protocol))));
        const Try again = steps(judgement)[0].tries.at(0);
        const Try& before = situation.open[0].step.tries.at(0);
        CHECK(again.service.protocol == protocol);
        CHECK(again.request.nonce == before.request.nonce);
        CHECK(again.request.lifetime == portmap::Seconds(3600));
        return notes(judgement);
    };
    CHECK(contains(renewed(Protocol::upnp, InForce::yes), "is in force (0123abcd)"));
    CHECK(contains(renewed(Protocol::upnp, InForce::no), "is not in force any more"));
    CHECK(contains(renewed(Protocol::natpmp, InForce::unknown), "cannot be asked"));
    // It was killed before it knew what the router said: the record is the place for it all the
    // same.
    situation.open[0].record->attempts[0].grant.reset();
    CHECK(plan(udp, situation).data.at("steps").at(0).as_object().contains("continues"));

    const auto new_one = [&] {
        const Judgement judgement = plan(udp, situation);
        CHECK(judgement.status == P2PDIAG_PASS);
        REQUIRE(steps(judgement).size() == 1);
        return !judgement.data.at("steps").at(0).as_object().contains("continues");
    };
    // Nothing was begun; the other transport; somebody else's by now; another network, whose router
    // is another one or sees this machine at another address.
    situation.open = {open_forward(Protocol::upnp, InForce::no, Transport::udp)};
    situation.open[0].record.reset();
    CHECK(new_one());
    situation.open = {open_forward(Protocol::upnp, InForce::yes, Transport::tcp)};
    CHECK(new_one());
    situation.open = {open_forward(Protocol::upnp, InForce::foreign, Transport::udp)};
    CHECK(new_one());
    for (Protocol protocol : {Protocol::upnp, Protocol::natpmp}) {
        situation.open = {open_forward(protocol, InForce::unknown, Transport::udp)};
        portmap::Service& service = situation.open[0].step.tries[0].service;
        service.router = ip("192.168.1.254");
        service.udn = "uuid:another";
        CHECK(new_one());
        const std::string elsewhere = notes(plan(udp, situation));
        CHECK(
            contains(elsewhere, "was forwarded before by " + std::string(display_name(protocol))));
        CHECK(contains(elsewhere, "not among those that answer here"));
        CHECK(contains(elsewhere, "p2pdiag undo 0123abcd"));
        // … at the address that the first one had, by its name and by its network card.
        service.router = router_address;
        CHECK(new_one());
        service.udn.clear();
        CHECK_FALSE(new_one());
        situation.open[0].router_is_another = true;
        CHECK(new_one());
        CHECK(contains(notes(plan(udp, situation)), "not among those that answer here"));
        situation.open = {open_forward(protocol, InForce::unknown, Transport::udp)};
        situation.open[0].step.tries[0].service.local = ip("192.168.1.8");
        CHECK(new_one());
        CHECK(contains(notes(plan(udp, situation)),
                       "to 192.168.1.8 (0123abcd), which is not this "
                       "machine's address any more"));
        // Nothing is there any more, and nothing is said.
        situation.open[0].lease_is_over = true;
        CHECK(new_one());
        CHECK_FALSE(contains(notes(plan(udp, situation)), "0123abcd"));
    }
}

TEST_CASE("a router with a name is the same one at another address") {
    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    Situation situation = of(everything());
    situation.open = {open_forward(Protocol::upnp, InForce::unknown, Transport::udp)};
    situation.open[0].step.tries[0].service.router = ip("192.168.1.254");
    const Judgement judgement = plan(udp, situation);
    CHECK(judgement.data.at("steps").at(0).as_object().contains("continues"));
    CHECK(steps(judgement).at(0).tries.at(0).service.router == router_address);
}

TEST_CASE("a port that an earlier forward of ours has from another address is said to be that") {
    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    Situation situation = of(everything());
    situation.open = {open_forward(Protocol::upnp, InForce::yes, Transport::udp)};
    situation.open[0].step.tries[0].service.local = ip("192.168.1.8");
    situation.lookups = {{"http://192.168.1.1:5000/ctl", Transport::udp, 8000,
                          mapping(8000, "192.168.1.8", "p2pdiag 0123abcd"), true}};
    const Judgement judgement = plan(udp, situation);
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(judgement.has("portmap.conflict"));
    CHECK(contains(notes(judgement), "It is of this p2pdiag"));
    CHECK(contains(notes(judgement), "'p2pdiag undo 0123abcd' takes it back"));
}

TEST_CASE("F1: a test mapping that was left is in nobody's way") {
    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    Situation situation = of(everything());
    situation.lookups = {{"http://192.168.1.1:5000/ctl", Transport::udp, 8000,
                          mapping(8000, "192.168.1.7", "p2pdiag 89abcdef"), true}};
    CHECK(plan(udp, situation).status == P2PDIAG_SKIP);
    situation.test_ids = {"89abcdef"};
    CHECK(plan(udp, situation).status == P2PDIAG_PASS);
    // Somebody else's is.
    situation.lookups[0].holder->description = "game";
    CHECK(plan(udp, situation).status == P2PDIAG_SKIP);
}

TEST_CASE("a restarted router is asked where it listens now") {
    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    Situation situation = of(everything());
    situation.open = {open_forward(Protocol::upnp, InForce::unknown, Transport::udp)};
    situation.open[0].step.tries[0].service.control_url = "http://192.168.1.1:1/old";
    const auto made = steps(plan(udp, situation));
    CHECK(made.at(0).tries.at(0).service.control_url == "http://192.168.1.1:5000/ctl");
}

TEST_CASE("what another process keeps up, or another protocol forwards, is left to it") {
    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    Situation situation = of(everything());
    situation.open = {open_forward(Protocol::upnp, InForce::yes, Transport::udp)};
    situation.open[0].held_by = 4711;
    Judgement judgement = plan(udp, situation);
    CHECK(judgement.status == P2PDIAG_SKIP);
    CHECK(contains(notes(judgement), "process 4711"));

    situation.open[0].held_by.reset();
    udp.via = Protocol::pcp;
    judgement = plan(udp, situation);
    CHECK(judgement.status == P2PDIAG_SKIP);
    CHECK(contains(notes(judgement), "by UPnP already"));
    CHECK(contains(notes(judgement), "p2pdiag undo 0123abcd"));
    // NAT-PMP, PCP and a router that does not answer cannot tell: nobody is told that it works.
    situation.open[0].in_force = InForce::unknown;
    judgement = plan(udp, situation);
    CHECK(judgement.status == P2PDIAG_UNKNOWN);
    CHECK(contains(judgement.summary, "may be forwarded already"));
    CHECK(contains(notes(judgement), "may be forwarded by UPnP already"));
    CHECK(contains(notes(judgement), "p2pdiag undo 0123abcd"));
    situation.open[0].lease_is_over = true;
    CHECK(plan(udp, situation).status == P2PDIAG_PASS);
    situation.open[0].in_force = InForce::no;
    CHECK(plan(udp, situation).status == P2PDIAG_PASS);
}

TEST_CASE("another external port by NAT-PMP would move the forward that is there") {
    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    udp.external = 9000;
    udp.via = Protocol::natpmp;
    Situation situation = of(everything());
    situation.open = {open_forward(Protocol::natpmp, InForce::unknown, Transport::udp)};
    const Judgement judgement = plan(udp, situation);
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(steps(judgement).empty());
    CHECK(codes(judgement) == std::vector<std::string>{"portmap.conflict"});
    CHECK(contains(judgement.summary, "p2pdiag undo 0123abcd"));
    // UPnP and PCP keep both.
    udp.via = Protocol::pcp;
    CHECK(plan(udp, situation).status == P2PDIAG_PASS);
}

TEST_CASE("nobody answers: the manual steps have this machine's own values") {
    Wanted what = wanted();
    what.external = 9000;
    const Judgement judgement = plan(what, of(search()));
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(codes(judgement) == std::vector<std::string>{"portmap.none"});
    const std::string text = notes(judgement);
    CHECK(contains(text, "http://192.168.1.1/"));
    CHECK(contains(text,
                   "protocol UDP and TCP, external port 9000, internal address 192.168.1.7, "
                   "internal port 8000"));
    CHECK(contains(text, "100.64."));
    CHECK(contains(text, "relay"));

    portmap::IgdReport pages = igd(std::nullopt);
    about(pages).presentation_url = "http://192.168.1.1:8080/start";
    CHECK(contains(notes(plan(wanted(), of(search({pages})))), "http://192.168.1.1:8080/start"));
}

TEST_CASE("behind a provider's NAT no forward is promised") {
    // miniupnpd there names no address, and says no.
    portmap::GatewayReport refusing = gateway();
    refusing.natpmp = failure(Problem::no_external_address, 3, "network failure");
    Search made = search({igd(std::nullopt)}, refusing);
    made.seen.carrier_hop = ip("100.64.7.1");
    const Judgement refused = plan(wanted(), of(made));
    CHECK(refused.status == P2PDIAG_FAIL);
    CHECK(refused.has("nat.double-nat"));
    CHECK(refused.has("nat.cgnat"));
    CHECK(contains(refused.summary, "could not be reached"));
    CHECK(contains(notes(refused), "public IPv4 address"));
    CHECK(contains(notes(refused), "IPv6"));
    CHECK(contains(notes(refused), "relay"));
    CHECK_FALSE(contains(notes(refused), "external port 8000"));

    Search silent = search();
    silent.seen.carrier_hop = ip("100.64.7.1");
    const Judgement nobody = plan(wanted(), of(silent));
    CHECK(nobody.status == P2PDIAG_FAIL);
    CHECK(contains(nobody.summary, "probably"));  // B3: a hop alone is no proof
    CHECK(nobody.has("nat.cgnat"));
    CHECK_FALSE(contains(notes(nobody), "external port 8000"));

    // PCP does not tell its address before it is asked for a forward.
    portmap::GatewayReport pcp = gateway();
    pcp.pcp = natpmp_status(std::nullopt);
    Search hidden = search({}, pcp);
    hidden.seen.carrier_hop = ip("100.64.7.1");
    const Judgement maybe = plan(wanted(), of(hidden));
    CHECK(maybe.status == P2PDIAG_PASS);
    CHECK(maybe.has("nat.cgnat"));
    CHECK(contains(notes(maybe), "public IPv4 address"));

    // One that would do it is not kept from it, but the plan says what it is worth.
    for (const char* address : {"100.64.7.2", "10.0.0.2"}) {
        const Judgement willing = plan(wanted(), of(search({igd(ip(address))})));
        CHECK(willing.status == P2PDIAG_PASS);
        CHECK(contains(notes(willing), "will not let peers in"));
        CHECK(contains(notes(willing), "public IPv4 address"));
    }
}

TEST_CASE("a router that did not say whether it forwards has not refused") {
    const auto undecided = [](portmap::IgdReport one) {
        const Judgement judgement = plan(wanted(), of(search({std::move(one)})));
        CHECK(judgement.status == P2PDIAG_UNKNOWN);
        CHECK(contains(notes(judgement), "always takes longer than a second for an answer"));
        CHECK(judgement.findings.empty());
        CHECK_FALSE(contains(judgement.summary, "will not"));
        CHECK(contains(notes(judgement), "By hand"));
    };
    portmap::IgdReport slow = igd(std::nullopt);
    slow.status.reset();
    undecided(slow);
    for (const Problem problem : {Problem::no_answer, Problem::absent, Problem::malformed}) {
        slow.status = failure(problem);
        undecided(slow);
    }
    // It answered the search, and that is all.
    slow.status.reset();
    slow.description.reset();
    undecided(slow);
    slow.description = failure(Problem::too_large);
    undecided(slow);
    // What another protocol of the same router refused, it did.
    portmap::GatewayReport refusing = gateway();
    refusing.natpmp = failure(Problem::refused, 2);
    slow = igd(std::nullopt);
    slow.status.reset();
    const Judgement refused = plan(wanted(), of(search({slow}, refusing)));
    CHECK(refused.status == P2PDIAG_FAIL);
    CHECK(refused.has("portmap.refused"));

    Search cut = search({slow});
    cut.complete = false;
    CHECK(plan(wanted(), of(cut)).status == P2PDIAG_UNKNOWN);
}

TEST_CASE("a UPnP service that is silent or broken does not keep PCP from being asked") {
    portmap::GatewayReport pcp = gateway();
    pcp.pcp = natpmp_status(std::nullopt);
    portmap::IgdReport dead = igd(std::nullopt);
    const auto asks_pcp = [&] {
        const Judgement judgement = plan(wanted(), of(search({dead}, pcp)));
        CHECK(judgement.status == P2PDIAG_PASS);
        const auto made = steps(judgement);
        REQUIRE(made.size() == 2);
        CHECK(made[0].tries.size() == 1);
        CHECK(made[0].tries[0].service.protocol == Protocol::pcp);
    };
    dead.status.reset();
    asks_pcp();
    dead.status = failure(Problem::no_answer);
    asks_pcp();
    dead.status = failure(Problem::failed, 500);
    asks_pcp();
}

TEST_CASE("a router that refuses, a search that was cut short, no router at all") {
    portmap::IgdReport off = igd(std::nullopt);
    status_of(off).connection = "Disconnected";
    const Judgement refused = plan(wanted(), of(search({off})));
    CHECK(refused.status == P2PDIAG_FAIL);
    CHECK(refused.has("portmap.refused"));
    CHECK(contains(notes(refused), "By hand"));

    Search cut = search();
    cut.complete = false;
    CHECK(plan(wanted(), of(cut)).status == P2PDIAG_UNKNOWN);

    const Judgement alone = plan(wanted(), of(Search{}));
    CHECK(alone.status == P2PDIAG_FAIL);
    CHECK(contains(notes(alone), "no IPv4 default gateway"));
}

TEST_CASE("a machine with a public address needs no forward") {
    portmap::GatewayReport direct = gateway(ip("203.0.113.1"));
    direct.local = public_address;
    const Judgement judgement = plan(wanted(), of(search({}, direct)));
    CHECK(judgement.status == P2PDIAG_SKIP);
    CHECK(contains(judgement.summary, "203.0.113.7"));
    CHECK(contains(notes(judgement), "firewall"));
}

TEST_CASE("IPv6 gets a step of its own, or a word about it") {
    portmap::GatewayReport six = gateway(ip("fe80::1"));
    six.local = ip("fe80::7");
    six.pcp = natpmp_status(std::nullopt);
    Search made = everything();
    made.found.gateways.push_back(six);
    made.ipv6 = ip("2001:db8::7");
    Wanted udp = wanted();
    udp.transports = {Transport::udp};
    const Judgement judgement = plan(udp, of(made));
    const auto all = steps(judgement);
    REQUIRE(all.size() == 2);
    CHECK(all[1].pinhole());
    CHECK(all[1].tries[0].service.local == ip("2001:db8::7"));
    CHECK(all[1].tries[0].service.router == ip("fe80::1"));
    CHECK(all[1].request().external_port == 8000);
    CHECK(json::value(judgement.data).at_pointer("/steps/1/match/family") == "ipv6");

    udp.external = 9000;
    const Judgement moved = plan(udp, of(made));
    CHECK(steps(moved).size() == 1);
    CHECK(contains(notes(moved), "IPv6 is left out"));

    udp.external.reset();
    made.found.gateways.pop_back();
    CHECK(contains(notes(plan(udp, of(made))), "IPv6: no router offers"));
}
