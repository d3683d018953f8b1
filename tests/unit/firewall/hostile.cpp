// What is no ruleset, or one that no kernel would hold.
#include <catch2/catch.hpp>

#include "machine.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

std::string refusal(const std::string& text) {
    const Reading reading = read_nft_json(text);
    return reading ? "read" : reading.error().message;
}

bool says(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

// Regular chains c0, c1, … of which each has these rules.
std::string chains(int count, const std::function<std::string(int)>& rules_of) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        const std::string name = "c" + std::to_string(i);
        text += R"(,{"chain":{"family":"inet","table":"t","name":")" + name + "\"}}";
    }
    for (int i = 0; i < count; ++i) {
        text += R"(,{"rule":{"family":"inet","table":"t","chain":"c)" + std::to_string(i) +
                R"(","handle":1,"expr":[)" + rules_of(i) + "]}}";
    }
    return text;
}

std::string jump(int chain) { return R"({"jump":{"target":"c)" + std::to_string(chain) + "\"}}"; }

}  // namespace

TEST_CASE("text that is no ruleset is refused with its place") {
    CHECK(says(refusal(""), "not JSON at byte 0"));
    CHECK(says(refusal("{\n\"nftables\": [\n{]"), "line 3"));
    CHECK(says(refusal("[]"), "no list \"nftables\""));
    CHECK(says(refusal(R"({"nftables":{}})"), "no list"));
    CHECK(says(refusal(R"({"nftables":[1]})"), "entry 0"));
    CHECK(says(refusal(R"({"nftables":[{"table":{}},{"rule":null}]})"), "entry 1"));
    CHECK(says(refusal(R"({"nftables":[]} {})"), "byte"));
    CHECK(refusal(R"({"nftables":[]})"
                  "\n") == "read");
    CHECK(says(refusal(std::string(200, '[')), "not JSON"));
    CHECK(says(refusal(std::string(max_ruleset_text + 1, ' ')), "larger than 64 MiB"));
    CHECK(says(refusal("[" + std::string(9'000'000, ',')), "values"));
}

TEST_CASE("every beginning of a ruleset is refused or read, none is taken for the whole") {
    const std::string text = fixture_text("sets");
    for (std::size_t size = 0; size + 1 < text.find_last_of('}') + 1; size += 7) {
        CHECK(refusal(text.substr(0, size)) != "read");
    }
}

TEST_CASE("jumps that come back to themselves") {
    World world = machine();
    world.rulesets.push_back(
        input_chain({jump(0)}, "drop", chains(2, [](int i) { return jump(1 - i); })));
    const Verdict verdict = evaluate(world, packet());
    CHECK(verdict.kind == VerdictKind::undecided);
    CHECK(says(verdict.why, "comes back to itself"));
    World self = machine();
    self.rulesets.push_back(input_chain({R"({"goto":{"target":"input"}})"}));
    CHECK(evaluate(self, packet()).kind == VerdictKind::undecided);
}

TEST_CASE("the kernel follows fifteen jumps and no more") {
    const auto ladder = [](int count) {
        World world = machine();
        world.rulesets.push_back(input_chain({jump(0)}, "drop", chains(count, [&](int i) {
                                                 return i + 1 < count
                                                            ? jump(i + 1)
                                                            : std::string(R"({"accept":null})");
                                             })));
        return evaluate(world, packet());
    };
    CHECK(ladder(15).kind == VerdictKind::accept);
    CHECK(ladder(16).kind == VerdictKind::undecided);
    CHECK(says(ladder(16).why, "deeper than 16"));
}

TEST_CASE("rules that multiply are given up in time") {
    World world = machine();
    std::string rules;
    for (int i = 0; i < 15; ++i) {
        for (int again = 0; again < 8; ++again) {
            rules += R"(,{"rule":{"family":"inet","table":"t","chain":"c)" + std::to_string(i) +
                     R"(","handle":1,"expr":[)" + jump(i + 1) + "]}}";
        }
    }
    const std::string all =
        chains(16, [](int) { return std::string(R"({"counter":null})"); }) + rules;
    world.rulesets.push_back(input_chain({jump(0)}, "drop", all));
    Limits few;
    few.max_steps = 10'000;
    const Verdict verdict = evaluate(world, packet(), few);
    CHECK(verdict.kind == VerdictKind::undecided);
    CHECK(verdict.trace.size() <= few.max_trace);
}

TEST_CASE("more possibilities than are followed are not a verdict") {
    std::vector<std::string> rules;
    for (int bit = 0; bit < 10; ++bit) {
        rules.push_back(
            R"({"limit":{"rate":1,"per":"second"}},{"mangle":{"key":{"meta":{"key":"mark"}},"value":)"
            R"({"|":[{"meta":{"key":"mark"}},)" +
            std::to_string(1 << bit) + "]}}}");
    }
    World world = machine();
    world.rulesets.push_back(input_chain(rules, "accept"));
    CHECK(evaluate(world, packet()).kind == VerdictKind::undecided);
    Limits plenty;
    plenty.max_states = 2000;
    CHECK(evaluate(world, packet(), plenty).kind == VerdictKind::accept);
}

TEST_CASE("families, hooks and entries that are not known spoil every verdict") {
    const auto judged = [](const std::string& entry) {
        World world = machine();
        world.rulesets.push_back(parsed(R"({"nftables":[)" + entry + "]}"));
        return evaluate(world, packet()).kind;
    };
    CHECK(
        judged(
            R"({"chain":{"family":"mpls","table":"t","name":"i","type":"filter","hook":"input","prio":0}})") ==
        VerdictKind::undecided);
    CHECK(
        judged(
            R"({"chain":{"family":"inet","table":"t","name":"i","type":"filter","hook":"later","prio":0}})") ==
        VerdictKind::undecided);
    CHECK(
        judged(
            R"({"chain":{"family":"inet","table":"t","name":"i","type":"odd","hook":"input","prio":0}})") ==
        VerdictKind::undecided);
    CHECK(
        judged(
            R"({"chain":{"family":"inet","table":"t","name":"i","type":"filter","hook":"input","prio":"x"}})") ==
        VerdictKind::undecided);
    CHECK(judged(R"({"rule":{"family":"inet","table":"t","chain":"gone","expr":[]}})") ==
          VerdictKind::undecided);
    CHECK(judged(R"({"hookwatch":{"name":"x"}})") == VerdictKind::undecided);
    CHECK(judged(R"({"counter":{"name":"x"}})") == VerdictKind::accept);
    CHECK(
        judged(
            R"({"chain":{"family":"bridge","table":"t","name":"i","type":"filter","hook":"input","prio":0,"policy":"drop"}})") ==
        VerdictKind::accept);
}

TEST_CASE("set elements that are not understood spoil misses, not hits") {
    const std::string set =
        R"(,{"set":{"family":"inet","name":"s","table":"t","type":"inet_service","elem":[4000,"ssh"]}})";
    const std::string rule =
        R"({"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":"@s"}},{"accept":null})";
    CHECK(judge_rules({rule}, packet(4000), "drop", set).kind == VerdictKind::accept);
    CHECK(judge_rules({rule}, packet(4001), "drop", set).kind == VerdictKind::undecided);
    const std::string wrong =
        R"(,{"set":{"family":"inet","name":"s","table":"t","type":["inet_service","ipv4_addr"],"elem":[]}})";
    CHECK(judge_rules({rule}, packet(4000), "drop", wrong).kind == VerdictKind::undecided);
    CHECK(judge_rules({rule}, packet(4000), "drop", "").kind == VerdictKind::undecided);
}

TEST_CASE("a packet that fits nothing") {
    Packet nowhere = packet();
    nowhere.interface = "eth9";
    CHECK(evaluate(machine(), nowhere).kind == VerdictKind::undecided);
    World world = machine();
    world.interfaces[1].master = 9;
    CHECK(evaluate(world, packet()).kind == VerdictKind::undecided);
    Packet mixed = packet();
    mixed.source = ip("fd09::1");
    CHECK(evaluate(machine(), mixed).kind == VerdictKind::undecided);
    Packet stranger = packet();
    stranger.destination = ip("192.0.2.1");
    CHECK(evaluate(machine(), stranger).kind == VerdictKind::drop);
    Packet group = packet();
    group.destination = ip("239.1.2.3");
    CHECK(evaluate(machine(), group).kind == VerdictKind::depends);
}
