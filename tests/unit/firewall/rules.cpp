// Rulesets as programs write them, and single expressions.
#include <catch2/catch.hpp>

#include "machine.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

const std::string accept = R"({"accept":null})";
const std::string dport_4000 =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":4000}})";

std::string match(const std::string& left, const std::string& right, const std::string& op = "==") {
    return R"({"match":{"op":")" + op + R"(","left":)" + left + R"(,"right":)" + right + "}}";
}

std::string meta(const std::string& key) { return R"({"meta":{"key":")" + key + "\"}}"; }
std::string payload(const std::string& protocol, const std::string& field) {
    return R"({"payload":{"protocol":")" + protocol + R"(","field":")" + field + "\"}}";
}
std::string ct(const std::string& key) { return R"({"ct":{"key":")" + key + "\"}}"; }

// accept: the rule matches; drop: it does not.
VerdictKind matches(const std::string& statement, const Packet& asked = packet()) {
    return judge_rules({statement + ',' + accept}, asked).kind;
}

constexpr auto yes = VerdictKind::accept;
constexpr auto no = VerdictKind::drop;

}  // namespace

TEST_CASE("Docker's published port passes forward, whatever input says") {
    World world = machine("docker");
    world.sysctls.ipv4_forwarding = true;
    const Verdict published = assess_inbound(world, packet());
    CHECK(published.kind == VerdictKind::accept);
    CHECK(published.delivery == Delivery{false, ip("10.8.0.77"), 4000, "vc"});
    REQUIRE(published.deciding_rule);
    CHECK(published.deciding_rule->chain == "DOCKER");
    CHECK(assess_inbound(world, packet(5000)).kind == VerdictKind::accept);
    CHECK(assess_inbound(world, packet(5001)).kind == VerdictKind::drop);
}

TEST_CASE("miniupnpd writes raw offsets") {
    World world = machine("miniupnpd");
    world.sysctls.ipv4_forwarding = true;
    const Verdict verdict = assess_inbound(world, packet());
    CHECK(verdict.kind == VerdictKind::accept);
    CHECK(verdict.delivery == Delivery{false, ip("10.8.0.77"), 4000, "vc"});
}

TEST_CASE("sets with intervals, concatenations, prefixes of names and a value for all others") {
    const World world = machine("sets");
    const auto from = [&](const char* source, std::uint16_t port) {
        Packet asked = packet(port);
        asked.source = ip(source);
        return evaluate(world, asked).kind;
    };
    CHECK(from("10.9.0.65", 4000) == no);
    CHECK(from("198.51.100.8", 8000) == no);
    CHECK(from("198.51.100.10", 8000) == yes);
    CHECK(from("10.9.0.1", 4009) == yes);
    CHECK(from("10.9.0.1", 4010) == no);
    CHECK(from("192.0.2.2", 53) == yes);
    CHECK(from("192.0.2.1", 53) == no);
    CHECK(from("10.7.0.1", 9100) == yes);
    CHECK(from("10.7.0.1", 9101) == no);
    CHECK(from("203.0.113.9", 1) == yes);
    CHECK(evaluate(world, tcp(packet(22))).kind == yes);
}

TEST_CASE("an element that times out may be gone, one that is not there is not") {
    const World world = machine("fleeting");
    CHECK(evaluate(world, packet()).kind == VerdictKind::depends);
    CHECK(evaluate(world, packet(4001)).kind == VerdictKind::depends);
    Packet stranger = packet();
    stranger.source = ip("10.9.0.9");
    CHECK(evaluate(world, stranger).kind == VerdictKind::drop);
    stranger.destination_port = 4001;
    CHECK(evaluate(world, stranger).kind == VerdictKind::accept);
}

TEST_CASE("a field's protocol is a condition that nft does not print") {
    CHECK(matches(match(payload("tcp", "dport"), "4000", "!=")) == no);
    CHECK(matches(match(payload("udp", "dport"), "4001", "!=")) == yes);
    CHECK(matches(match(payload("ip6", "saddr"), "\"fd09::9\"", "!=")) == no);
    CHECK(matches(match(payload("icmp", "type"), "\"echo-request\"", "!=")) == no);
    CHECK(matches(match(payload("sctp", "vtag"), "1", "!=")) == no);
    CHECK(matches(match(payload("th", "dport"), "4000"), tcp(packet())) == yes);
}

TEST_CASE("comparisons by order, with a mask, and of nothing at all") {
    const std::string port = payload("udp", "dport");
    CHECK(matches(match(port, "4000", "<")) == no);
    CHECK(matches(match(port, "4000", "<=")) == yes);
    CHECK(matches(match(port, "3999", ">")) == yes);
    CHECK(matches(match(port, "0", "<")) == no);
    CHECK(matches(match(port, "65535", ">")) == no);
    CHECK(matches(match(port, R"({"range":[4000,4000]})")) == yes);
    CHECK(matches(match(port, R"({"range":[4001,65535]})", "!=")) == yes);
    const std::string masked = R"({"&":[)" + payload("ip", "saddr") + R"(,"255.0.0.255"]})";
    CHECK(matches(match(masked, "\"10.0.0.1\"")) == yes);
    CHECK(matches(match(masked, "\"10.0.0.2\"")) == no);
    CHECK(matches(match(R"({"payload":{"base":"nh","offset":96,"len":64}})",
                        "723109219633004546")) == yes);
    CHECK(matches(match(R"({"payload":{"base":"nh","offset":96,"len":64}})",
                        "723109219633004547")) == no);
}

TEST_CASE("connection tracking as rules see it") {
    CHECK(matches(match(ct("state"), R"(["established","related"])", "in")) == no);
    CHECK(matches(match(ct("state"), R"(["established","new"])", "in")) == yes);
    CHECK(matches(match(ct("state"), R"(["established","new"])", "!")) == no);
    CHECK(matches(match(ct("state"), R"({"set":["established","new"]})")) == yes);
    // `!=` with several states is another thing: never equal to both at once.
    CHECK(matches(match(ct("state"), R"({"|":["established","new"]})", "!=")) == yes);
    CHECK(matches(match(ct("status"), R"("dnat")", "in")) == no);
    CHECK(matches(match(ct("mark"), "0")) == yes);
    CHECK(matches(match(ct("direction"), R"("original")")) == yes);
    CHECK(matches(match(R"({"ct":{"key":"ip saddr","dir":"original"}})", R"("10.9.0.1")")) == yes);
    CHECK(matches(match(R"({"ct":{"key":"ip6 saddr","dir":"original"}})", R"("::1")", "!=")) == no);

    Packet answer = packet();
    answer.state = CtState::established;
    CHECK(matches(match(ct("state"), R"("established")", "in"), answer) == yes);
    CHECK(matches(match(ct("status"), R"("seen-reply")", "in"), answer) == yes);
    CHECK(matches(match(ct("mark"), "5"), answer) == VerdictKind::depends);
    answer.connection_mark = 5;
    CHECK(matches(match(ct("mark"), "5"), answer) == yes);
}

TEST_CASE("TCP flags: a fresh packet is a SYN") {
    const std::string flags = payload("tcp", "flags");
    const std::string masked = R"({"&":[)" + flags + R"(,["fin","syn","rst","ack"]]})";
    CHECK(matches(match(masked, R"("syn")"), tcp(packet())) == yes);
    CHECK(matches(match(masked, R"("syn")", "!="), tcp(packet())) == no);
    CHECK(matches(match(flags, R"("syn")", "in"), tcp(packet())) == yes);
    CHECK(matches(match(flags, R"(["rst","fin"])", "!"), tcp(packet())) == yes);
    // ECN is the sender's affair.
    CHECK(matches(match(flags, R"("syn")"), tcp(packet())) == VerdictKind::depends);
}

TEST_CASE("interfaces") {
    CHECK(matches(match(meta("iifname"), R"("v*")")) == yes);
    CHECK(matches(match(meta("iifname"), R"("v\\*")")) == no);
    CHECK(matches(match(meta("iifname"), R"("vb0")")) == no);
    CHECK(matches(match(meta("iif"), R"("vb")", "!=")) == no);
    // There is no output interface at input, and that is not the same as no match.
    CHECK(matches(match(meta("oifname"), R"("eth0")", "!=")) == yes);
    CHECK(matches(match(meta("oif"), R"("0")")) == yes);
    // Gone when it was listed; who has the number now is not known.
    CHECK(matches(match(meta("iif"), R"("7")")) == VerdictKind::undecided);
}

TEST_CASE("what nobody knows of a packet") {
    CHECK(matches(match(payload("ip", "ttl"), "3", "<")) == VerdictKind::depends);
    CHECK(matches(match(meta("length"), "100", ">")) == VerdictKind::depends);
    CHECK(matches(match(meta("skuid"), "0")) == VerdictKind::depends);
    CHECK(matches(match(R"({"numgen":{"mode":"random","mod":2,"offset":0}})", "0")) ==
          VerdictKind::depends);
    CHECK(matches(match(R"({"exthdr":{"name":"frag"}})", "true"), packet(4000, Family::ipv6)) ==
          no);
    CHECK(matches(match(R"({"exthdr":{"name":"frag"}})", "false"), packet(4000, Family::ipv6)) ==
          yes);
    CHECK(matches(match(R"({"exthdr":{"name":"frag"}})", "false")) == no);
    CHECK(matches(match(R"({"payload":{"base":"ih","offset":0,"len":8}})", "1")) ==
          VerdictKind::undecided);
    CHECK(matches(R"({"something":{"new":1}})") == VerdictKind::undecided);
    CHECK(matches(R"({"match":{"op":"~","left":1,"right":2}})") == VerdictKind::undecided);
    Packet anyone = packet();
    anyone.source.reset();
    CHECK(matches(match(payload("ip", "saddr"), R"({"prefix":{"addr":"10.0.0.0","len":8}})"),
                  anyone) == VerdictKind::depends);
    CHECK(matches(match(payload("ip", "saddr"), R"({"prefix":{"addr":"0.0.0.0","len":0}})"),
                  anyone) == yes);
}

TEST_CASE("an unknown match that changes nothing leaves the verdict alone") {
    const std::string unknown = R"({"xt":{"type":"match","name":"recent"}})";
    CHECK(judge_rules({unknown + "," + accept, accept}, packet()).kind == yes);
    CHECK(judge_rules({unknown + R"(,{"drop":null})"}, packet()).kind == no);
    CHECK(judge_rules({unknown + R"(,{"counter":null})", accept}, packet()).kind == yes);
    // Both ways of each, together and apart: neither closure alone would see the third end.
    const Verdict mixed = judge_rules(
        {unknown + R"(,{"drop":null})", unknown + R"(,{"reject":null})", accept}, packet());
    CHECK(mixed.kind == VerdictKind::undecided);
    const Verdict blocked =
        judge_rules({unknown + R"(,{"drop":null})", R"({"reject":null})"}, packet());
    CHECK(blocked.kind == VerdictKind::undecided);
    CHECK(blocked.passes == false);
}

TEST_CASE("an unknown mark is followed into the rules that read it") {
    const std::string set_mark =
        R"({"mangle":{"key":{"meta":{"key":"mark"}},"value":{"numgen":{"mode":"inc","mod":2,"offset":0}}}})";
    CHECK(judge_rules({set_mark, match(meta("mark"), "1") + ',' + accept}, packet()).kind ==
          VerdictKind::undecided);
    const std::string lower =
        R"({"mangle":{"key":{"meta":{"key":"mark"}},"value":{"|":[{"&":[{"meta":{"key":"mark"}},255]},16]}}})";
    CHECK(judge_rules({lower, match(meta("mark"), "16") + ',' + accept}, packet()).kind == yes);
}

TEST_CASE("a set that rules fill while packets pass") {
    const std::string set =
        R"(,{"set":{"family":"inet","name":"s","table":"t","type":"ipv4_addr","size":9,"flags":["timeout"]}})";
    const std::string add = R"({"set":{"op":"add","elem":{"elem":{"val":)" +
                            payload("ip", "saddr") + R"(,"timeout":10}},"set":"@s"}})";
    const std::string lookup = match(payload("ip", "saddr"), R"("@s")");
    CHECK(judge_rules({lookup + ',' + accept}, packet(), "drop", set).kind == no);
    CHECK(judge_rules({add + ',' + accept}, packet(), "drop", set).kind == yes);
    CHECK(judge_rules({add, lookup + ',' + accept}, packet(), "drop", set).kind ==
          VerdictKind::depends);
    const std::string full =
        R"(,{"set":{"family":"inet","name":"s","table":"t","type":"ipv4_addr","size":1,"elem":["1.2.3.4"]}})";
    CHECK(judge_rules({add + ',' + accept}, packet(), "drop", full).kind == VerdictKind::depends);
    CHECK(judge_rules({add + ',' + accept}, packet(4000, Family::ipv6), "drop", set).kind == no);
}

TEST_CASE("maps whose key or content is not known") {
    const std::string vmap =
        R"({"vmap":{"key":{"numgen":{"mode":"inc","mod":2,"offset":0}},"data":{"set":)";
    CHECK(judge_rules({vmap + R"([[0,{"accept":null}],[1,{"drop":null}]]}}})"}, packet()).kind ==
          VerdictKind::depends);
    CHECK(judge_rules({vmap + R"([[0,{"accept":null}],[1,{"accept":null}]]}}})", accept}, packet())
              .kind == yes);
    const std::string port = R"({"vmap":{"key":)" + payload("udp", "dport") + R"(,"data":{"set":)";
    CHECK(judge_rules({port + R"([["ssh",{"accept":null}]]}}})"}, packet()).kind ==
          VerdictKind::undecided);
    CHECK(judge_rules({port + R"([[4000,{"jump":{"target":"nowhere"}}]]}}})"}, packet()).kind ==
          VerdictKind::undecided);
    CHECK(judge_rules({port + R"([[{"range":[1,3999]},{"drop":null}],["*",{"accept":null}]]}}})"},
                      packet())
              .kind == yes);
}

TEST_CASE("what takes a packet away is not guessed at") {
    for (const char* statement :
         {R"({"queue":{"num":1}})", R"({"tproxy":{"port":1}})", R"({"fwd":{"dev":"vc"}})",
          R"({"xt":{"type":"target","name":"DNAT"}})",
          R"({"mangle":{"key":{"payload":{"protocol":"udp","field":"dport"}},"value":7}})"}) {
        CHECK(judge_rules({statement, accept}, packet()).kind == VerdictKind::undecided);
    }
    for (const char* statement :
         {R"({"log":{"prefix":"x"}})", R"({"counter":{"packets":0,"bytes":0}})",
          R"({"notrack":null})", R"({"ct helper":"ftp"})",
          R"({"xt":{"type":"target","name":"LOG"}})"}) {
        CHECK(judge_rules({statement, accept}, packet()).kind == yes);
    }
}

TEST_CASE("rules are shown as nft prints them") {
    const Ruleset rules = input_chain(
        {dport_4000 + ',' + accept,
         match(meta("iifname"), R"("eth0")") + "," +
             match(ct("state"), R"(["established","new"])", "in") + R"(,{"jump":{"target":"c"}})",
         R"({"vmap":{"key":)" + payload("udp", "dport") +
             R"(,"data":{"set":[[{"range":[1,2]},{"drop":null}]]}}})",
         R"({"limit":{"rate":10,"burst":5,"per":"second","inv":true}},{"reject":{"type":"icmpx","expr":"admin-prohibited"}})",
         R"({"log":{"prefix":"\u001b[31m"}})", match(R"({"&":[{"ct":{"key":"mark"}},15]})", "1")});
    const Chain& chain = rules.chains[1];
    CHECK(chain.rules[0].text == "udp dport 4000 accept");
    CHECK(chain.rules[1].text == R"(iifname "eth0" ct state established,new jump c)");
    CHECK(chain.rules[2].text == "udp dport vmap { 1-2 : drop }");
    CHECK(chain.rules[3].text == "limit rate over 10/second reject with icmpx admin-prohibited");
    CHECK(chain.rules[4].text == R"(log prefix "?[31m")");
    CHECK(chain.rules[5].text == "ct mark & 15 == 1");
}

TEST_CASE("what is no statement is told by what was found") {
    const auto told = [](const std::string& statement) {
        const Verdict verdict = judge_rules({statement}, packet());
        CHECK(verdict.kind == VerdictKind::undecided);
        REQUIRE(verdict.open.size() == 1);
        CHECK(verdict.why.find(verdict.open.front()) != std::string::npos);
        return verdict.open.front();
    };
    CHECK(told(R"({"accept":null,"drop":null})") ==
          "(a statement with several names: accept drop)");
    CHECK(told("{}") == "(a statement without a name)");
    CHECK(told("5") == "(no statement: 5)");
    CHECK(told(R"("accept")") == "(no statement: accept)");
    CHECK(told("[1]") == "(no statement: (...))");
}

TEST_CASE("packets over loopback go out before they come in") {
    World world = machine();
    world.rulesets.push_back(parsed(
        R"({"nftables":[{"table":{"family":"inet","name":"t"}},
            {"chain":{"family":"inet","table":"t","name":"o","type":"filter","hook":"output","prio":0,"policy":"drop"}},
            {"rule":{"family":"inet","table":"t","chain":"o","handle":3,"expr":[)" +
        match(payload("udp", "dport"), "4001") + ',' + accept + "]}}]}"));
    Packet looped = packet();
    looped.interface = "lo";
    looped.source = looped.destination = ip("127.0.0.1");
    CHECK(evaluate(world, looped).kind == no);
    looped.destination_port = 4001;
    CHECK(evaluate(world, looped).kind == yes);
}

TEST_CASE("whose rule it is") {
    const auto owner = [](const std::string& source, const std::string& entries) {
        World world = machine();
        world.rulesets.push_back(parsed(R"({"nftables":[)" + entries + "]}"));
        if (source == "legacy") world.rulesets[0].source = Source::iptables_legacy;
        const Verdict verdict = evaluate(world, packet());
        return verdict.deciding_rule ? verdict.deciding_rule->owner : "no rule";
    };
    const auto base = [](const std::string& table, const std::string& family,
                         const std::string& name) {
        return R"({"chain":{"family":")" + family + R"(","table":")" + table + R"(","name":")" +
               name + R"(","type":"filter","hook":"input","prio":0,"policy":"drop"}})";
    };
    const std::string ufw =
        base("filter", "ip", "INPUT") +
        R"(,{"chain":{"family":"ip","table":"filter","name":"ufw-user-input"}})";
    CHECK(owner("nft", base("f", "inet", "input")) == "nft");
    CHECK(owner("nft", base("filter", "ip", "INPUT")) == "iptables-nft");
    CHECK(owner("legacy", base("filter", "ip", "INPUT")) == "iptables-legacy");
    CHECK(owner("nft", base("firewalld", "inet", "filter_INPUT")) == "firewalld");
    CHECK(owner("nft", base("firewalld_policy_drop", "inet", "input")) == "firewalld");
    CHECK(owner("nft", base("firewalld2", "inet", "input")) == "nft");
    CHECK(owner("nft", ufw) == "ufw");
    CHECK(
        owner(
            "nft",
            ufw +
                R"(,{"rule":{"family":"ip","table":"filter","chain":"ufw-user-input","handle":7,"expr":[)" +
                dport_4000 +
                R"(,{"reject":null}]}},{"rule":{"family":"ip","table":"filter","chain":"INPUT",)"
                R"("handle":8,"expr":[{"jump":{"target":"ufw-user-input"}}]}})") == "ufw");
}
