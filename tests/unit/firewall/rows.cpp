// How the kernel behaves, row by row, with what nft 1.0.6 printed of each ruleset (fixtures/). The
// same cases are put to the kernel itself in tests/firewall.
#include <catch2/catch.hpp>

#include "machine.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

VerdictKind inbound(const std::string& fixture, const Packet& asked = packet()) {
    return assess_inbound(machine(fixture), asked).kind;
}

}  // namespace

TEST_CASE("row 1: an accept ends its own base chain only") {
    const Verdict verdict = assess_inbound(machine("01-accept-ends-one-chain"), packet());
    CHECK(verdict.kind == VerdictKind::drop);
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->table == "inet b");
    CHECK(verdict.deciding_rule->text == "policy drop");
    CHECK(verdict.deciding_rule->handle == 0);
    REQUIRE(verdict.trace.size() >= 2);
    CHECK(verdict.trace[0].rule.table == "inet a");
    CHECK(verdict.trace[0].outcome == "accept");
    CHECK(verdict.trace[1].outcome == "drop");
}

TEST_CASE("row 2: families share a hook") {
    CHECK(inbound("02-families-share-the-hook") == VerdictKind::drop);
    CHECK(inbound("02-families-share-the-hook", packet(4000, Family::ipv6)) == VerdictKind::drop);
}

TEST_CASE("row 3: an early drop is final") {
    CHECK(inbound("03-early-drop-late-accept") == VerdictKind::drop);
}

TEST_CASE("row 4: jump, goto and return") {
    CHECK(inbound("04-jump-returns") == VerdictKind::accept);
    CHECK(inbound("04-jump-returns", packet(1)) == VerdictKind::drop);
    CHECK(inbound("04-goto-returns") == VerdictKind::drop);
    CHECK(inbound("04-goto-below-jump") == VerdictKind::accept);
}

TEST_CASE("row 5: a reject says which") {
    const World world = machine("05-reject");
    const Verdict udp = assess_inbound(world, packet());
    CHECK(udp.kind == VerdictKind::reject);
    CHECK(udp.reject_kind == "icmp port-unreachable");
    CHECK(assess_inbound(world, tcp(packet())).reject_kind == "tcp reset");
    CHECK(assess_inbound(world, packet(4001)).kind == VerdictKind::drop);
    // The condition on the family is not printed beside the kind.
    CHECK(assess_inbound(world, packet(4002)).reject_kind == "icmp host-prohibited");
    CHECK(assess_inbound(world, packet(4002, Family::ipv6)).reject_kind == "icmp no-route");
}

TEST_CASE("row 6: hooks before input") {
    CHECK(inbound("06-raw-prerouting") == VerdictKind::drop);
    CHECK(inbound("06-raw-prerouting", packet(4001)) == VerdictKind::accept);

    // nft 1.0.6 does not print which interface the chain is on.
    World world = machine("06-netdev-ingress");
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::undecided);
    for (Chain& chain : world.rulesets[0].chains) {
        if (chain.hook == Hook::ingress) chain.devices = {"vb"};
    }
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::drop);
    Packet elsewhere = packet();
    elsewhere.interface = "vc";
    CHECK(assess_inbound(world, elsewhere).kind == VerdictKind::accept);
}

TEST_CASE("row 7: one family shut, the other open") {
    CHECK(inbound("07-ipv4-only") == VerdictKind::drop);
    CHECK(inbound("07-ipv4-only", packet(4000, Family::ipv6)) == VerdictKind::accept);
    CHECK(inbound("07-ipv6-only") == VerdictKind::accept);
    CHECK(inbound("07-ipv6-only", packet(4000, Family::ipv6)) == VerdictKind::drop);
}

TEST_CASE("row 8: filters see the port behind the redirection") {
    CHECK(evaluate(machine("08-redirect-4000-accepted"), packet()).kind == VerdictKind::drop);
    // A connection of ours from port 4000 is not redirected.
    CHECK(inbound("08-redirect-4000-accepted") == VerdictKind::reply_only);
    const Verdict verdict = assess_inbound(machine("08-redirect-5000-accepted"), packet());
    CHECK(verdict.kind == VerdictKind::accept);
    REQUIRE(verdict.delivery);
    CHECK(verdict.delivery->local);
    CHECK(verdict.delivery->port == 5000);
    CHECK(verdict.delivery->destination == ip("10.9.0.2"));
}

TEST_CASE("row 8: a port that is forwarded meets forward, not input") {
    World world = machine("08-forwarded-port");
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::drop);
    world.sysctls.ipv4_forwarding = true;
    const Verdict verdict = assess_inbound(world, packet());
    CHECK(verdict.kind == VerdictKind::accept);
    REQUIRE(verdict.delivery);
    CHECK(*verdict.delivery == Delivery{false, ip("10.8.0.77"), 4001, "vc"});
    // The others are not translated and meet the input chain.
    CHECK(assess_inbound(world, packet(4005)).kind == VerdictKind::drop);
    world.sysctls.ipv4_forwarding.reset();
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::undecided);
}

TEST_CASE("row 9: a legacy table drops what nft accepts") {
    World world = machine("09-accept");
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::accept);
    Ruleset legacy = parsed(fixture_text("07-ipv4-only"));
    legacy.source = Source::iptables_legacy;
    world.rulesets.push_back(legacy);
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::drop);
    CHECK(assess_inbound(world, packet(4000, Family::ipv6)).kind == VerdictKind::accept);
}

TEST_CASE("row 10: equal priority runs in an order that is not printed") {
    const Verdict either = assess_inbound(machine("10-reject-and-drop"), packet());
    CHECK(either.kind == VerdictKind::undecided);
    CHECK(either.passes == false);
    CHECK(inbound("10-accept-and-drop") == VerdictKind::drop);
}

TEST_CASE("row 11: a dormant table does nothing, and nft 1.0.6 does not say which is") {
    World world = machine("11-dormant");
    CHECK(world.rulesets[0].tables[0].maybe_dormant);
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::undecided);

    World asleep = world;
    settle_dormant(asleep.rulesets[0],
                   "table inet xyz {\n\tflags dormant\n\n\tchain input {\n\t}\n}\n");
    CHECK(assess_inbound(asleep, packet()).kind == VerdictKind::accept);
    World awake = world;
    settle_dormant(awake.rulesets[0], "table inet other {\n}\n");
    CHECK(awake.rulesets[0].tables[0].maybe_dormant);
    // So does nft name the program that keeps the table.
    settle_dormant(awake.rulesets[0],
                   "table inet xyz { # progname nft\n\tflags owner\n\n\tchain dormant {\n\t}\n}\n");
    CHECK(assess_inbound(awake, packet()).kind == VerdictKind::drop);
}

TEST_CASE("row 12: a mark is seen by later chains") {
    CHECK(inbound("12-mark") == VerdictKind::accept);
    CHECK(inbound("12-mark", packet(4001)) == VerdictKind::drop);
    Packet marked = packet(4001);
    marked.mark = 7;
    CHECK(inbound("12-mark", marked) == VerdictKind::accept);
}

TEST_CASE("row 13: what is not tracked is neither new nor established") {
    CHECK(inbound("13-notrack") == VerdictKind::drop);
    CHECK(inbound("13-notrack", packet(4001)) == VerdictKind::accept);
}

TEST_CASE("row 14: answers come in, new packets do not") {
    const World world = machine("14-established");
    const Verdict verdict = assess_inbound(world, packet());
    CHECK(verdict.kind == VerdictKind::reply_only);
    CHECK(verdict.passes == false);
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->text == "policy drop");

    Packet ours = packet();
    ours.direction = Direction::out;
    ours.source = ip("10.9.0.2");
    ours.destination = ip("10.9.0.1");
    CHECK(assess_punching(world, ours).kind == VerdictKind::accept);
    CHECK(assess_punching(machine("03-early-drop-late-accept"), ours).kind == VerdictKind::drop);
    ours.source_port.reset();
    CHECK(assess_punching(world, ours).kind == VerdictKind::undecided);
}

TEST_CASE("row 15: a verdict map's miss ends the rule, a hit with continue does not") {
    CHECK(inbound("15-vmap-miss") == VerdictKind::accept);
    CHECK(inbound("15-vmap-continue") == VerdictKind::drop);
    CHECK(inbound("15-vmap-continue", packet(4001)) == VerdictKind::accept);
}

TEST_CASE("row 16: a limit is a matter of time") {
    const Verdict verdict = assess_inbound(machine("16-limit"), packet());
    CHECK(verdict.kind == VerdictKind::depends);
    CHECK_FALSE(verdict.passes);
    REQUIRE(verdict.open.size() == 1);
    CHECK(verdict.open[0].find("limit rate") != std::string::npos);
    CHECK(inbound("16-limit", packet(4001)) == VerdictKind::drop);
}

TEST_CASE("row 17: iif is printed by the name of now, iifname is a name") {
    CHECK(inbound("17-iif") == VerdictKind::accept);
    CHECK(inbound("17-iifname") == VerdictKind::accept);
    // Renamed: nft prints the new name of `iif`, and the old one of `iifname`.
    const auto renamed = [](const std::string& fixture, bool prints_new_name) {
        std::string text = fixture_text(fixture);
        if (prints_new_name) text.replace(text.find("\"vb\""), 4, "\"wan\"");
        World world = machine();
        world.interfaces[1].name = "wan";
        world.sysctls.rp_filter["wan"] = 0;
        world.rulesets.push_back(parsed(text));
        Packet asked = packet();
        asked.interface = "wan";
        return assess_inbound(world, asked).kind;
    };
    CHECK(renamed("17-iif", true) == VerdictKind::accept);
    CHECK(renamed("17-iifname", false) == VerdictKind::drop);
}

TEST_CASE("row 18: without any rule everything comes in") {
    const Verdict verdict = assess_inbound(machine(), packet());
    CHECK(verdict.kind == VerdictKind::accept);
    CHECK_FALSE(verdict.deciding_rule);
    CHECK(verdict.delivery == Delivery{true, ip("10.9.0.2"), 4000, ""});
}

TEST_CASE("row 19: the reverse path filter drops what the rules accept") {
    World world = machine("09-accept");
    Packet astray = packet();
    astray.source = ip("10.8.0.77");
    CHECK(assess_inbound(world, astray).kind == VerdictKind::accept);
    world.sysctls.rp_filter["vb"] = 1;
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::accept);
    const Verdict strict = evaluate(world, astray);
    CHECK(strict.kind == VerdictKind::drop);
    CHECK(strict.why.find("rp_filter") != std::string::npos);
    CHECK_FALSE(strict.deciding_rule);

    world.sysctls.rp_filter["vb"] = 0;
    world.sysctls.rp_filter_all = 2;
    CHECK(evaluate(world, astray).kind == VerdictKind::accept);
    astray.source = ip("192.0.2.1");
    CHECK(evaluate(world, astray).kind == VerdictKind::drop);
    world.routes.reset();
    CHECK(evaluate(world, astray).kind == VerdictKind::undecided);
    world.sysctls.rp_filter_all.reset();
    CHECK(evaluate(world, packet()).kind == VerdictKind::undecided);
}

TEST_CASE("rows 20 and 21: what could not be read is never open") {
    World world = machine();
    world.unseen = {{"the nftables ruleset", "needs root"}};
    const Verdict verdict = assess_inbound(world, packet());
    CHECK(verdict.kind == VerdictKind::undecided);
    CHECK_FALSE(verdict.passes);
    CHECK(verdict.why.find("needs root") != std::string::npos);
    world.rulesets.push_back(parsed(fixture_text("03-early-drop-late-accept")));
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::undecided);
}

TEST_CASE("row 22: matches whose parameters the JSON loses are unknown") {
    const World world = machine("22-iptables-nft");
    CHECK(assess_inbound(world, packet(4000)).kind == VerdictKind::undecided);
    CHECK(assess_inbound(world, packet(4002)).kind == VerdictKind::undecided);
    // Nothing unknown stands in the way of TCP or another interface.
    CHECK(assess_inbound(world, tcp(packet(4004))).kind == VerdictKind::drop);
    CHECK(assess_inbound(world, packet(4004, Family::ipv6)).kind == VerdictKind::accept);
}
