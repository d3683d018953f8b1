// firewall.inbound on machines that were made up, and on this one.
#include "inbound.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fake_host.hpp>

#include "checks.hpp"
#include "connected.hpp"
#include "together.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;
using namespace p2pdiag::testing;

namespace {

bool has(const Judgement& judgement, std::string_view code) {
    return std::any_of(judgement.findings.begin(), judgement.findings.end(),
                       [&](const Finding& finding) { return finding.code == code; });
}

Judgement judged(const World& world, std::uint16_t port) {
    return judge_inbound(world, ask_inbound(world, find_entrances(world), {.port = port}), {});
}

constexpr p2pdiag_check inbound_check =
    p2pdiag::check<check_inbound>({.id = "firewall.inbound", .title = "t"});

}  // namespace

TEST_CASE("the way to the internet is the entrance, by both families") {
    const auto entrances = find_entrances(connected());
    REQUIRE(entrances.size() == 2);
    CHECK(entrances[0].interface == "vb");
    CHECK(entrances[0].address == ip("10.9.0.2"));
    CHECK(entrances[1].address == ip("fd09::2"));
    // Without a default route each link is one.
    CHECK(find_entrances(machine()).size() == 4);
    World down = connected();
    down.interfaces[1].carrier = false;
    CHECK(find_entrances(down).empty());
    CHECK(judged(down, 8000).status == P2PDIAG_SKIP);
}

TEST_CASE("an address that has not passed duplicate address detection is no entrance") {
    for (const auto check : {net::AddressCheck::failed, net::AddressCheck::going_on}) {
        World world = connected();
        net::Interface& link = world.interfaces[1];
        link.addresses = {
            {ip("10.9.0.2"), 24}, {ip("2a01:db8::2"), 64, false, check}, {ip("fe80::2"), 64}};
        REQUIRE(find_entrances(world).size() == 1);
        const Judgement judgement = judged(world, 8000);
        CHECK(judgement.status == P2PDIAG_WARN);
        CHECK(has(judgement, "firewall.undecided"));
        CHECK(judgement.summary.find("2a01:db8::2 of vb") != std::string::npos);
        // Another that is good is one.
        link.addresses.push_back({ip("2a01:db8::3"), 64});
        CHECK(find_entrances(world).size() == 2);
        CHECK(judged(world, 8000).status == P2PDIAG_PASS);
        link.addresses = {{ip("2a01:db8::2"), 64, false, check}, {ip("fe80::2"), 64}};
        CHECK(judged(world, 8000).status == P2PDIAG_UNKNOWN);
    }
}

TEST_CASE("programs at the link, and ARP switched off, are no all-clear") {
    const auto said = [](const auto& change) {
        World world = connected();
        change(world);
        const Judgement judgement = judged(world, 8000);
        CHECK(judgement.status == P2PDIAG_UNKNOWN);
        CHECK(has(judgement, "firewall.undecided"));
        CHECK_FALSE(has(judgement, "firewall.inbound-open"));
        return judgement.summary;
    };
    const auto names = [](const std::string& text, const char* words) {
        INFO(text);
        CHECK(text.find(words) != std::string::npos);
    };
    names(said([](World& world) { world.interfaces[1].xdp = true; }),
          "an XDP program that is attached to vb");
    names(said([](World& world) {
              world.interfaces[2].xdp = true;
              world.interfaces[1].lower = world.interfaces[2].index;
          }),
          "an XDP program that is attached to vc");
    names(said([](World& world) { world.interfaces[1].tc_ingress = true; }),
          "filters of tc that are attached to vb");
    names(said([](World& world) { world.interfaces[1].tc_egress = true; }),
          "filters of tc that are attached to vb");
    names(said([](World& world) { world.interfaces[1].arp_off = true; }), "switched off on vb");
}

TEST_CASE("open, answers only, blocked") {
    const Judgement open = judged(connected(), 8000);
    CHECK(open.status == P2PDIAG_PASS);
    REQUIRE(open.findings.size() == 1);
    CHECK(has(open, "firewall.inbound-open"));
    CHECK(open.findings[0].message.starts_with(
        "UDP port 8000 and TCP port 8000 by IPv4 and IPv6 on vb are open"));
    CHECK(open.data.at("verdicts").as_array().size() == 4);

    const Judgement answers = judged(connected("14-established"), 8000);
    CHECK(answers.status == P2PDIAG_WARN);
    CHECK(has(answers, "firewall.inbound-reply-only"));

    const Judgement blocked = judged(connected("03-early-drop-late-accept"), 8000);
    CHECK(blocked.status == P2PDIAG_FAIL);
    CHECK(has(blocked, "firewall.inbound-blocked"));
    const json::object& first = blocked.data.at("verdicts").as_array()[0].as_object();
    CHECK(json::find_string(first, "verdict") == "drop");
    const json::object* rule = json::find_object(first, "deciding_rule");
    REQUIRE(rule != nullptr);
    CHECK(json::find_string(*rule, "table") == "inet a");
    CHECK(json::find_string(*rule, "text") == "drop");
    CHECK(json::find_string(*rule, "owner") == "nft");
    CHECK(json::find_array(first, "trace")->size() == 1);
}

TEST_CASE("one rule is one finding, with all that it decides over") {
    const Judgement blocked = judged(connected("03-early-drop-late-accept"), 8000);
    REQUIRE(blocked.findings.size() == 1);
    const Finding& finding = blocked.findings[0];
    CHECK(finding.severity == Severity::error);
    CHECK(finding.message == blocked.summary);
    const json::array* packets = json::find_array(finding.evidence, "packets");
    REQUIRE(packets != nullptr);
    CHECK(packets->size() == 4);
    CHECK(
        packets->at(1) ==
        json::value{{"family", "ipv4"}, {"protocol", "tcp"}, {"port", 8000}, {"interface", "vb"}});
    // A rule of IPv4, and nothing against IPv6: two.
    const Judgement half = judged(connected("07-ipv4-only"), 8000);
    CHECK(half.findings.size() == 3);
    CHECK(half.findings[0].message.find("by IPv4 on vb are blocked") != std::string::npos);
    CHECK(half.findings[1].message.find("by IPv6 on vb are open") != std::string::npos);
    CHECK(has(half, "firewall.ipv6-differs"));
}

TEST_CASE("packets that are told together are exactly those") {
    const Question udp4{Family::ipv4, protocol_udp, 1, "a"};
    Question udp6 = udp4;
    udp6.family = Family::ipv6;
    Question udp6_b = udp6;
    udp6_b.interface = "b";
    Question tcp4 = udp4;
    tcp4.protocol = protocol_tcp;
    const auto text = [](const std::vector<Question>& questions) {
        std::vector<Told> packets;
        for (const Question& question : questions) packets.push_back({name_of(question), question});
        return spelled(packets);
    };
    CHECK(text({udp4}) == "UDP port 1 by IPv4 on a");
    CHECK(text({udp4, udp6}) == "UDP port 1 by IPv4 and IPv6 on a");
    CHECK(text({udp4, udp6_b}) == "UDP port 1 by IPv4 on a and by IPv6 on b");
    CHECK(text({udp4, udp6, tcp4}) ==
          "UDP port 1 by IPv4 and IPv6 on a and TCP port 1 by IPv4 on a");
    CHECK(text({udp4, tcp4}) == "UDP port 1 and TCP port 1 by IPv4 on a");
}

TEST_CASE("families that differ, and what is not known") {
    const Judgement differs = judged(connected("07-ipv4-only"), 8000);
    CHECK(differs.status == P2PDIAG_FAIL);
    CHECK(has(differs, "firewall.ipv6-differs"));
    const Judgement limited = judged(connected("16-limit"), 4000);
    CHECK(limited.status == P2PDIAG_UNKNOWN);
    CHECK(has(limited, "firewall.undecided"));
    World unseen = connected();
    unseen.unseen = {{"the nftables rules", "only root may read it", {}, Unseen::Cause::rights}};
    const Judgement hidden = judged(unseen, 8000);
    CHECK(hidden.status == P2PDIAG_UNKNOWN);
    CHECK(hidden.findings.size() == 1);
    CHECK(has(hidden, "firewall.not-visible"));
    CHECK(hidden.summary.find("sudo p2pdiag run firewall.inbound") != std::string::npos);
}

TEST_CASE("rights are offered only to whom they are missing") {
    const auto said = [](Unseen::Cause cause) {
        World world = connected();
        world.unseen = {{"the nftables rules", "nft was so-and-so", {}, cause}};
        const Judgement judgement = judged(world, 8000);
        CHECK(judgement.status == P2PDIAG_UNKNOWN);
        CHECK(has(judgement, "firewall.not-visible"));
        return judgement.summary;
    };
    CHECK(said(Unseen::Cause::rights).find("sudo") != std::string::npos);
    const std::string interrupted = said(Unseen::Cause::interrupted);
    CHECK(interrupted.find("sudo") == std::string::npos);
    CHECK(interrupted.find("interrupted") != std::string::npos);
    CHECK(said(Unseen::Cause::other).find("sudo") == std::string::npos);
}

TEST_CASE("strangers send to an address of the machine that need not be one of the uplink") {
    World world = connected();
    const std::string uplink = world.interfaces[1].name;
    world.interfaces[1].addresses = {{ip("fe80::2"), 64}};
    net::Interface inner;
    inner.name = "lan";
    inner.index = 9;
    inner.up = inner.carrier = true;
    inner.kind = net::LinkKind::ethernet;
    inner.addresses = {{ip("198.51.100.2"), 32}, {ip("2001:db8:5::2"), 64}};
    world.interfaces.push_back(inner);
    const auto entrances = find_entrances(world);
    REQUIRE(entrances.size() == 2);
    CHECK(entrances[0].interface == uplink);
    CHECK(entrances[0].address == ip("198.51.100.2"));
    CHECK(entrances[1].interface == uplink);
    CHECK(entrances[1].address == ip("2001:db8:5::2"));
    // Neighbours look for the address of the link.
    CHECK(judged(world, 8000).status == P2PDIAG_PASS);
}

TEST_CASE("an answer that routes refuse is not laid to the firewall") {
    const Judgement judgement = judged(refusing(), 8000);
    CHECK(judgement.status == P2PDIAG_FAIL);
    REQUIRE(judgement.findings.size() == 2);
    const Finding& blocked = judgement.findings[0];
    CHECK(blocked.code == "firewall.inbound-blocked");
    CHECK(json::find_string(blocked.evidence, "by") == "routes");
    CHECK(json::find_string(blocked.evidence, "stopped") == "later");
    CHECK(blocked.message.find("table 51820") != std::string::npos);
    CHECK(has(judgement, "firewall.inbound-open"));
    CHECK_FALSE(has(judgement, "firewall.ipv6-differs"));
    // A rule that stops the packet itself comes first, and is one.
    const Judgement both = judged(refusing("03-early-drop-late-accept"), 8000);
    CHECK(json::find_string(both.findings[0].evidence, "by") == "rules");
}

TEST_CASE("where it depends on who sends, a stranger is taken") {
    World world = connected("sets");
    // Those rules let no neighbour discovery in.
    world.interfaces[1].kind = net::LinkKind::tunnel;
    const Judgement some = judged(world, 8000);
    CHECK(some.status == P2PDIAG_PASS);
    CHECK(some.findings[0].message.find("Some senders") != std::string::npos);
    CHECK(judged(world, 4000).status == P2PDIAG_FAIL);
    // The usual loose filter lets everybody in whom a default route reaches.
    World loose = connected();
    loose.sysctls.rp_filter_all = 2;
    CHECK(judged(loose, 8000).findings[0].message.find("Some senders") == std::string::npos);
    loose.sysctls.rp_filter_all = 1;
    CHECK(judged(loose, 8000).findings[0].message.find("Some senders") != std::string::npos);
    CHECK(judged(loose, 8000).status == P2PDIAG_PASS);
}

TEST_CASE("this machine, whatever it has: complete, and in valid JSON") {
    FakeHost host;
    const p2pdiag_status status = host.run(inbound_check);
    CHECK((status == P2PDIAG_PASS || status == P2PDIAG_WARN || status == P2PDIAG_FAIL ||
           status == P2PDIAG_UNKNOWN || status == P2PDIAG_SKIP));
    bool summed_up = false;
    for (const std::string& line : host.emitted()) {
        CHECK(json::parse(line).has_value());
        summed_up = summed_up || line.find(R"("type":"summary")") != std::string::npos;
    }
    CHECK(summed_up);
}
