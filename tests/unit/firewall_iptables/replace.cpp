// Rules of iptables-nft, whose parameters nft does not print, taken from iptables-save.
#include <catch2/catch.hpp>

#include "saved.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

const char* const chains =
    R"({"table":{"family":"ip","name":"filter","handle":1}},
       {"chain":{"family":"ip","table":"filter","name":"INPUT","handle":1,"type":"filter","hook":"input","prio":0,"policy":"drop"}},
       {"chain":{"family":"ip","table":"filter","name":"own","handle":2}})";

std::string rule(const std::string& chain, int handle, const std::string& statements) {
    return R"(,{"rule":{"family":"ip","table":"filter","chain":")" + chain + R"(","handle":)" +
           std::to_string(handle) + R"(,"expr":[)" + statements + "]}}";
}

const std::string lost = R"({"xt":{"type":"match","name":"multiport"}},{"accept":null})";
const std::string kept =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":5000}},{"accept":null})";

Ruleset joined(const std::string& rules, const std::string& text) {
    Ruleset nft = parsed(std::string(R"({"nftables":[)") + chains + rules + "]}");
    replace_tables(nft, saved(text, Family::ipv4, Source::iptables_nft));
    return nft;
}

const std::string saved_lines =
    "-A INPUT -p udp -m multiport --dports 4000,4001 -j ACCEPT\n-A INPUT -p udp -m udp --dport "
    "5000 -j ACCEPT";

}  // namespace

TEST_CASE("rules that nft prints without their parameters come from iptables-save") {
    const std::string both = rule("INPUT", 4, lost) + rule("INPUT", 7, kept);
    World before = with(parsed(std::string(R"({"nftables":[)") + chains + both + "]}"));
    CHECK(evaluate(before, packet()).kind == VerdictKind::undecided);

    const World world = with(joined(both, filter_table(saved_lines)));
    CHECK(evaluate(world, packet(4000)).kind == VerdictKind::accept);
    CHECK(evaluate(world, packet(4002)).kind == VerdictKind::drop);
    const Verdict other = evaluate(world, packet(5000));
    CHECK(other.kind == VerdictKind::accept);
    REQUIRE(other.deciding_rule);
    CHECK(other.deciding_rule->handle == 7);
    CHECK(other.deciding_rule->text == "-A INPUT -p udp -m udp --dport 5000 -j ACCEPT");
    CHECK(other.deciding_rule->owner == "iptables-nft");
    CHECK(evaluate(world, packet(4000)).deciding_rule->handle == 4);
}

TEST_CASE("a rule that became several keeps its one handle") {
    const World world =
        with(joined(rule("INPUT", 4, lost) + rule("INPUT", 7, kept),
                    filter_table("-A INPUT -p udp -m multiport --ports 7001,4000 -j ACCEPT\n"
                                 "-A INPUT -p udp -m udp --dport 5000 -j ACCEPT")));
    CHECK(world.rulesets[0].chains[0].rules.size() == 3);
    CHECK(evaluate(world, packet(4000)).deciding_rule->handle == 4);
    CHECK(evaluate(world, packet(5000)).deciding_rule->handle == 7);
}

TEST_CASE("jumps lead to nft's chains") {
    const std::string jump =
        R"({"xt":{"type":"match","name":"conntrack"}},{"jump":{"target":"own"}})";
    const World world =
        with(joined(rule("INPUT", 4, jump) + rule("own", 5, kept),
                    "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:own - [0:0]\n"
                    "-A INPUT -m conntrack --ctstate NEW -j own\n"
                    "-A own -p udp -m udp --dport 5000 -j ACCEPT\nCOMMIT\n"));
    CHECK(world.rulesets[0].chains.size() == 2);  // FORWARD is not there
    CHECK(evaluate(world, packet(5000)).kind == VerdictKind::accept);
    CHECK(evaluate(world, packet(4000)).kind == VerdictKind::drop);
}

TEST_CASE("lists of different length are not put side by side") {
    const World world = with(joined(rule("INPUT", 4, lost), filter_table(saved_lines)));
    CHECK(evaluate(world, packet(4000)).kind == VerdictKind::accept);
    CHECK(evaluate(world, packet(5000)).deciding_rule->handle == 0);
    // Nothing is lost: nft's own word stands.
    const World whole = with(joined(rule("INPUT", 7, kept), filter_table(saved_lines)));
    CHECK(evaluate(whole, packet(4000)).kind == VerdictKind::drop);
}

TEST_CASE("a table that nft did not list is there nevertheless") {
    Ruleset nft = parsed(R"({"nftables":[]})");
    replace_tables(nft, saved(filter_table(saved_lines), Family::ipv4, Source::iptables_nft));
    CHECK(evaluate(with(nft), packet(4000)).kind == VerdictKind::accept);
    CHECK(evaluate(with(nft), packet(4002)).kind == VerdictKind::drop);
}

TEST_CASE("what iptables-save says and nobody understands is kept") {
    const Ruleset nft =
        joined(rule("INPUT", 7, kept), "*filter\n:INPUT DROP [0:0]\nnonsense\nCOMMIT\n");
    CHECK(nft.unplaced.size() == 1);
}
