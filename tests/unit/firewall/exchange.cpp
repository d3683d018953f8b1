// What has to pass besides the first packet, and what has to go before it.
#include <catch2/catch.hpp>

#include "ask.hpp"
#include "connected.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

const std::string accept_8000 =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":8000}},{"accept":null})";
const std::string tcp_8000 =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":8000}})";
const std::string syn_only =
    tcp_8000 +
    R"(,{"match":{"op":"==","left":{"&":[{"payload":{"protocol":"tcp","field":"flags"}},["syn","ack"]]},"right":"syn"}},{"accept":null})";
const std::string established =
    R"({"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},{"accept":null})";
const std::string discovery =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"icmpv6","field":"type"}},"right":{"set":["nd-neighbor-solicit","nd-neighbor-advert"]}}},{"accept":null})";
const std::string solicitations =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"icmpv6","field":"type"}},"right":"nd-neighbor-solicit"}},{"accept":null})";

std::string chain_of(const std::string& name, const std::string& hook, int priority,
                     const std::string& policy, const std::string& family = "inet") {
    return R"(,{"chain":{"family":")" + family + R"(","table":"t","name":")" + name +
           R"(","handle":5,"type":"filter","hook":")" + hook + R"(","prio":)" +
           std::to_string(priority) + R"(,"policy":")" + policy + "\"}}";
}

std::string rule_of(const std::string& chain, const std::string& statements) {
    return R"(,{"rule":{"family":"inet","table":"t","chain":")" + chain +
           R"(","handle":50,"expr":[)" + statements + "]}}";
}

Asked asked(const World& world, std::uint8_t protocol, Family family) {
    Inquiry inquiry;
    inquiry.port = 8000;
    inquiry.protocols = {protocol};
    for (Asked& one : ask_inbound(world, find_entrances(world), inquiry)) {
        if (one.question.family == family) return one;
    }
    throw std::runtime_error("not asked");
}

World with(Ruleset rules) {
    World world = connected();
    world.rulesets.push_back(std::move(rules));
    return world;
}

VerdictKind kind(const World& world, std::uint8_t protocol = protocol_udp,
                 Family family = Family::ipv4) {
    return asked(world, protocol, family).verdict.kind;
}

}  // namespace

TEST_CASE("where neighbour discovery is dropped, IPv6 is") {
    const World world = with(input_chain({established, accept_8000}));
    CHECK(kind(world) == VerdictKind::accept);
    const Asked v6 = asked(world, protocol_udp, Family::ipv6);
    CHECK(v6.verdict.kind == VerdictKind::drop);
    CHECK(v6.verdict.passes == false);
    CHECK(v6.reply_stopped);
    REQUIRE(v6.verdict.deciding_rule);
    CHECK(v6.verdict.deciding_rule->text == "policy drop");
    CHECK(v6.verdict.why.find("neighbour solicitation") != std::string::npos);
}

TEST_CASE("with discovery let in, IPv6 is open") {
    const World world = with(input_chain({established, discovery, accept_8000}));
    CHECK(kind(world, protocol_udp, Family::ipv6) == VerdictKind::accept);
    // A link without it needs none.
    World tunnel = with(input_chain({established, accept_8000}));
    tunnel.interfaces[1].kind = net::LinkKind::tunnel;
    CHECK(kind(tunnel, protocol_udp, Family::ipv6) == VerdictKind::accept);
    // The neighbour is found as long as it asks: for how long that does is not known.
    const World half = with(input_chain({established, solicitations, accept_8000}));
    const Verdict v6 = asked(half, protocol_udp, Family::ipv6).verdict;
    CHECK(v6.kind == VerdictKind::undecided);
    REQUIRE(v6.open.size() == 1);
    CHECK(v6.why.find(". Not known is " + v6.open.front() + '.') != std::string::npos);
}

TEST_CASE("advertisements that do not leave close IPv6 as well") {
    const World world = with(input_chain(
        {}, "accept", chain_of("out", "output", 0, "drop") + rule_of("out", established)));
    CHECK(kind(world) == VerdictKind::accept);
    const Asked v6 = asked(world, protocol_udp, Family::ipv6);
    CHECK(v6.verdict.kind == VerdictKind::drop);
    CHECK(v6.verdict.why.find("advertisement does not leave") != std::string::npos);
}

TEST_CASE("a TCP connection needs more than its first packet") {
    const Asked begun = asked(with(input_chain({syn_only})), protocol_tcp, Family::ipv4);
    CHECK(begun.verdict.kind == VerdictKind::drop);
    CHECK(begun.reply_stopped);
    CHECK(begun.verdict.why.find("what follows does not come in") != std::string::npos);
    CHECK(kind(with(input_chain({established, syn_only})), protocol_tcp) == VerdictKind::accept);
    const World by_port = with(input_chain({tcp_8000 + R"(,{"accept":null})"}));
    CHECK(kind(by_port, protocol_tcp) == VerdictKind::accept);
}

TEST_CASE("the answer to what is not tracked is not established") {
    const std::string untrack = chain_of("raw", "prerouting", -300, "accept") +
                                rule_of("raw", R"({"notrack":null})") +
                                chain_of("out", "output", 0, "drop") + rule_of("out", established);
    const World world = with(input_chain({}, "accept", untrack));
    for (const std::uint8_t protocol : {protocol_udp, protocol_tcp}) {
        const Asked one = asked(world, protocol, Family::ipv4);
        CHECK(one.verdict.kind == VerdictKind::drop);
        CHECK(one.verdict.why.find("no answer to it leaves") != std::string::npos);
    }
    const std::string tracked = chain_of("out", "output", 0, "drop") + rule_of("out", established);
    CHECK(kind(with(input_chain({}, "accept", tracked)), protocol_tcp) == VerdictKind::accept);
}

TEST_CASE("what the answer hangs on, the port hangs on") {
    const auto output = [](const std::string& rule) {
        return with(input_chain({}, "accept",
                                chain_of("out", "output", 0, "accept") + rule_of("out", rule)));
    };
    for (const char* condition :
         {R"({"match":{"op":"==","left":{"meta":{"key":"skuid"}},"right":0}},{"drop":null})",
          R"({"match":{"op":"<","left":{"meta":{"key":"length"}},"right":1000}},{"drop":null})",
          R"({"limit":{"rate":100,"burst":5,"per":"second"}},{"drop":null})"}) {
        for (const std::uint8_t protocol : {protocol_udp, protocol_tcp}) {
            const Asked one = asked(output(condition), protocol, Family::ipv4);
            CHECK(one.verdict.kind == VerdictKind::depends);
            CHECK_FALSE(one.verdict.passes.has_value());
            CHECK(one.reply_open);
            CHECK_FALSE(one.verdict.open.empty());
            CHECK(one.verdict.why.find("of the answer to it: It depends on") != std::string::npos);
        }
    }
    // Later packets of a connection, and the discovery of neighbours.
    const std::string hour =
        R"({"match":{"op":"==","left":{"meta":{"key":"hour"}},"right":"12:00"}},{"drop":null})";
    CHECK(kind(with(input_chain({R"({"match":{"op":"in","left":{"ct":{"key":"state"}},)"
                                 R"("right":"established"}},)" +
                                 hour},
                                "accept")),
               protocol_tcp) == VerdictKind::depends);
    const std::string found_at_times =
        R"({"match":{"op":"==","left":{"payload":{"protocol":"icmpv6","field":"type"}},)"
        R"("right":"nd-neighbor-solicit"}},)" +
        hour;
    CHECK(kind(with(input_chain({found_at_times}, "accept")), protocol_udp, Family::ipv6) ==
          VerdictKind::depends);
}

TEST_CASE("answers only, where no packet of ours leaves: nothing comes in") {
    const std::string from_8000 =
        R"({"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"sport"}},"right":8000}})";
    const auto beside = [](const std::string& more) {
        return with(input_chain({established, discovery}, "drop", more));
    };
    CHECK(kind(beside("")) == VerdictKind::reply_only);
    const auto stopped = [&](const std::string& more) {
        const Asked one = asked(beside(more), protocol_udp, Family::ipv4);
        CHECK(one.verdict.passes == false);
        CHECK(one.verdict.why.find("Nor would an answer come in") != std::string::npos);
        return one.verdict.kind;
    };
    CHECK(stopped(chain_of("out", "output", 0, "drop")) == VerdictKind::drop);
    CHECK(stopped(chain_of("out", "output", 0, "accept") +
                  rule_of("out", from_8000 + R"(,{"drop":null})")) == VerdictKind::drop);
    CHECK(stopped(chain_of("raw", "output", -300, "accept") +
                  rule_of("raw", from_8000 + R"(,{"notrack":null})")) == VerdictKind::drop);
    // Who may send is not known.
    const std::string root_only =
        R"({"match":{"op":"!=","left":{"meta":{"key":"skuid"}},"right":0}},{"drop":null})";
    CHECK(kind(beside(chain_of("out", "output", 0, "accept") + rule_of("out", root_only))) ==
          VerdictKind::depends);
}

TEST_CASE("rules that could not be read leave the verdict open, for their family") {
    World world = connected();
    CHECK(kind(world) == VerdictKind::accept);
    world.rules_v4.reset();
    CHECK(kind(world) == VerdictKind::undecided);
    CHECK(kind(world, protocol_udp, Family::ipv6) == VerdictKind::accept);
    world = connected();
    world.rules_v6.reset();
    CHECK(kind(world) == VerdictKind::accept);
    CHECK(kind(world, protocol_udp, Family::ipv6) == VerdictKind::undecided);
}

TEST_CASE("an address counts as far as the table local has it") {
    World world = connected();
    world.local_table_read = true;
    CHECK(kind(world) == VerdictKind::undecided);
    Route own;
    own.destination = ip("10.9.0.2");
    own.prefix = 32;
    own.type = Route::Type::local;
    own.interface = 2;
    own.table = net::table_local;
    world.routes->push_back(own);
    CHECK(kind(world) == VerdictKind::accept);
    world.routes->back().type = Route::Type::blackhole;
    CHECK(kind(world) == VerdictKind::undecided);
}

TEST_CASE("rules about ARP are not followed") {
    const World world =
        with(parsed(R"({"nftables":[{"table":{"family":"arp","name":"t","handle":1}})" +
                    chain_of("in", "input", 0, "drop", "arp") + "]}"));
    const Asked v4 = asked(world, protocol_udp, Family::ipv4);
    CHECK(v4.verdict.kind == VerdictKind::undecided);
    CHECK(v4.verdict.why.find("arp family") != std::string::npos);
    CHECK(kind(world, protocol_udp, Family::ipv6) == VerdictKind::accept);
    World silent = connected();
    silent.sysctls.arp_ignore["vb"] = 2;
    CHECK(kind(silent) == VerdictKind::accept);
    silent.sysctls.arp_ignore["vb"] = 8;
    CHECK(kind(silent) == VerdictKind::undecided);
    World filtered = connected();
    filtered.sysctls.arp_filter["vb"] = true;
    CHECK(kind(filtered) == VerdictKind::accept);
    filtered.routes->front().interface = 3;
    CHECK(kind(filtered) == VerdictKind::undecided);
    filtered.sysctls.arp_filter["vb"] = false;
    CHECK(kind(filtered) == VerdictKind::accept);
}

TEST_CASE("rules at a part of the link are not followed") {
    World world = with(parsed(
        R"({"nftables":[{"table":{"family":"netdev","name":"t","handle":1}},{"chain":{"family":"netdev","table":"t","name":"i","handle":1,"dev":"vc","type":"filter","hook":"ingress","prio":0,"policy":"drop"}}]})"));
    CHECK(kind(world) == VerdictKind::accept);
    world.interfaces[1].kind = net::LinkKind::bridge;
    world.interfaces[2].master = 2;
    CHECK(kind(world) == VerdictKind::undecided);
    // A VLAN on it, and one on that.
    world.interfaces[2].master = 0;
    world.interfaces[1].lower = 3;
    CHECK(kind(world) == VerdictKind::undecided);
    world.interfaces.push_back(link("middle", 9, net::LinkKind::ethernet, {}));
    world.interfaces[1].lower = 9;
    CHECK(kind(world) == VerdictKind::accept);
    world.interfaces[3].lower = 3;
    CHECK(kind(world) == VerdictKind::undecided);
}

TEST_CASE("chains that translate run while connections are tracked") {
    const std::string drops =
        R"({"nftables":[{"table":{"family":"ip","name":"n","handle":1}},)"
        R"({"chain":{"family":"ip","table":"n","name":"p","handle":1,"type":"nat","hook":"prerouting","prio":-100,"policy":"accept"}},)"
        R"({"rule":{"family":"ip","table":"n","chain":"p","handle":2,"expr":[)" +
        accept_8000.substr(0, accept_8000.rfind(",")) + R"(,{"drop":null}]}}]})";
    World world = with(parsed(drops));
    CHECK(kind(world) == VerdictKind::undecided);
    CHECK(kind(world, protocol_tcp) == VerdictKind::accept);
    world.rulesets.push_back(input_chain({established}, "accept"));
    CHECK(kind(world) == VerdictKind::reply_only);
}

TEST_CASE("options of TCP are nothing to UDP") {
    const World world = with(input_chain(
        {R"({"match":{"op":">","left":{"tcp option":{"name":"maxseg","field":"size"}},"right":100}},{"drop":null})"},
        "accept"));
    CHECK(kind(world) == VerdictKind::accept);
    CHECK(kind(world, protocol_tcp) != VerdictKind::accept);
}

TEST_CASE("of several addresses the one that is told of is named where they differ") {
    const std::string other =
        R"({"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"daddr"}},"right":"10.9.0.3"}},{"drop":null})";
    World world = with(input_chain({other}, "accept"));
    CHECK(asked(world, protocol_udp, Family::ipv4).verdict.why.find("10.9.0.3") ==
          std::string::npos);
    world.interfaces[1].addresses.push_back({ip("10.9.0.3"), 24, true});
    const Asked v4 = asked(world, protocol_udp, Family::ipv4);
    CHECK(v4.verdict.kind == VerdictKind::accept);
    CHECK(v4.verdict.why.ends_with("That is for 10.9.0.2; to 10.9.0.3 it is otherwise (drop)."));
}
