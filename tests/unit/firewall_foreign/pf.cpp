// macOS' packet filter.
#include <catch2/catch.hpp>

#include "files.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

constexpr auto accept = VerdictKind::accept;
constexpr auto reply_only = VerdictKind::reply_only;
constexpr auto depends = VerdictKind::depends;
constexpr auto undecided = VerdictKind::undecided;
constexpr auto drop = VerdictKind::drop;
constexpr auto reject = VerdictKind::reject;

// All that the command collects, with these rules; the application firewall is off.
std::string mac_with(const std::string& rules, const std::string& after = "",
                     const std::string& nat = "") {
    return mac_before_nat + nat + "# pf rules\n" + rules + "\n" + after + "# pf end\n";
}

Packet on_en0(Packet made = packet()) {
    made.interface = "en0";
    return made;
}

Verdict ask(const std::string& rules, const Packet& packet = on_en0()) {
    return verdict_of(mac_with(rules), packet);
}

VerdictKind kind(const std::string& rules, const Packet& packet = on_en0()) {
    return ask(rules, packet).kind;
}

const std::string no_out = "\nblock drop out all";  // so that answers do not pass either

}  // namespace

TEST_CASE("what no rule matches passes") {
    const Verdict verdict = ask("");
    CHECK(verdict.kind == accept);
    CHECK_FALSE(verdict.deciding_rule);
}

TEST_CASE("the last rule that matches decides, unless one is quick") {
    CHECK(kind("block drop in all\npass in all keep state") == accept);
    CHECK(kind("pass in all keep state\nblock drop in all" + no_out) == drop);
    CHECK(kind("pass in quick all keep state\nblock drop in all") == accept);
    CHECK(kind("block drop in quick all\npass in all keep state" + no_out) == drop);
    const Verdict verdict =
        ask("block drop in all\npass in proto tcp all\nblock drop in quick proto udp all" + no_out);
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->owner == "pf");
    CHECK(verdict.deciding_rule->chain == "main");
    CHECK(verdict.deciding_rule->handle == 3);
    CHECK(verdict.deciding_rule->text == "block drop in quick proto udp all");
    REQUIRE(verdict.trace.size() == 2);
    CHECK(verdict.trace[0].outcome == "block, unless a later rule matches");
}

TEST_CASE("answers pass where pf knows what they answer") {
    const std::string shut = "block drop in all\n";
    CHECK(kind(shut + "pass out all flags S/SA keep state") == reply_only);
    CHECK(kind(shut + "pass out all no state") == drop);
    // Nothing lets our packet out but the default, and that keeps no state.
    CHECK(kind(shut) == drop);
    CHECK(kind(shut + "block drop out all") == drop);
    CHECK(kind(shut + "pass out proto tcp all flags S/SA keep state") == drop);
    CHECK(kind(shut + "pass out proto tcp all flags S/SA keep state", on_en0(tcp(packet()))) ==
          reply_only);
    CHECK(kind("block drop in proto tcp all flags S/SA", on_en0(tcp(packet()))) == reply_only);
    CHECK(kind(shut + "pass out proto udp from any to any port = 3478 keep state") == drop);
}

TEST_CASE("blocked with an answer") {
    CHECK(kind("block return in all" + no_out) == reject);
    CHECK(ask("block return in all" + no_out).reject_kind == "icmp port-unreachable");
    CHECK(ask("block return in all" + no_out, on_en0(tcp(packet()))).reject_kind == "tcp reset");
    CHECK(kind("block return-rst in all" + no_out) == drop);
    CHECK(kind("block return-rst (ttl 5) in all" + no_out, on_en0(tcp(packet()))) == reject);
    CHECK(kind("block return-icmp (port-unr) in all" + no_out) == reject);
}

TEST_CASE("interfaces, families, protocols") {
    const std::string shut = "block drop in all" + no_out + "\n";
    CHECK(kind(shut + "pass in on en0 all") == accept);
    CHECK(kind(shut + "pass in on en1 all") == drop);
    CHECK(kind(shut + "pass in on ! en1 all") == accept);
    CHECK(kind(shut + "pass in on en all") == accept);
    Packet anywhere = packet();
    anywhere.interface.clear();
    CHECK(kind(shut + "pass in on en0 all", anywhere) == depends);
    CHECK(kind(shut + "pass in inet6 all") == drop);
    CHECK(kind(shut + "pass in inet all") == accept);
    CHECK(kind(shut + "pass in inet6 all\npass out inet6 proto ipv6-icmp all",
               on_en0(from("2001:db8::9", packet()))) == accept);
    CHECK(kind(shut + "pass in proto tcp all") == drop);
    CHECK(kind(shut + "pass in proto 17 all") == accept);
    CHECK(kind(shut + "pass in proto unheard-of all") == undecided);
    CHECK(kind(shut + "pass out all no state") == drop);
    // Whether it keeps state is not told.
    CHECK(kind(shut + "pass out all") == undecided);
}

TEST_CASE("addresses") {
    const auto with = [](const std::string& hosts) {
        return kind("block drop in all\npass in inet from " + hosts + no_out);
    };
    CHECK(with("45.67.89.0/24 to any") == accept);
    CHECK(with("45.67.90.0/24 to any") == drop);
    CHECK(with("! 45.67.89.0/24 to any") == drop);
    CHECK(with("! 10.0.0.0/8 to any") == accept);
    CHECK(with("45.67.89.90 - 45.67.89.92 to any") == accept);
    CHECK(with("any to 192.168.1.23") == accept);
    CHECK(with("any to (en0)") == accept);
    CHECK(with("any to (en0:network)") == accept);
    CHECK(with("any to (en1)") == depends);
    CHECK(with("no-route to any") == undecided);
    CHECK(with("fe80::/10 to any") == drop);
    CHECK(with("any to any port = 8000") == accept);
    const std::string near = "block drop in all\npass in from 192.168.1.0/24 to any" + no_out;
    CHECK(kind(near, on_en0(from_anybody(packet()))) == depends);
    Packet to_anywhere = on_en0();
    to_anywhere.destination = IpAddress();
    CHECK(kind("block drop in all\npass in from any to 192.168.1.23" + no_out, to_anywhere) ==
          depends);
}

TEST_CASE("ports") {
    const auto with = [](const std::string& port, std::uint16_t asked = 8000) {
        return kind("block drop in all\npass in proto udp from any to any port " + port + no_out,
                    on_en0(packet(asked)));
    };
    CHECK(with("= 8000") == accept);
    CHECK(with("= 8001") == drop);
    CHECK(with("!= 8000") == drop);
    CHECK(with("!= 8001") == accept);
    CHECK(with("< 8000") == drop);
    CHECK(with("<= 8000") == accept);
    CHECK(with("> 8000") == drop);
    CHECK(with(">= 8000") == accept);
    CHECK(with("7999 >< 8001") == accept);
    CHECK(with("8000 >< 8002") == drop);
    CHECK(with("8000 >< 8001", 8000) == drop);
    CHECK(with("8000 <> 8002") == drop);
    CHECK(with("8001 <> 8002") == accept);
    CHECK(with("8000:8002") == accept);
    CHECK(with("7000:7999") == drop);
    CHECK(with("= irdmi") == accept);
    CHECK(with("= domain", 53) == accept);
    CHECK(with("= some-service") == undecided);
    CHECK(with("< 0", 1) == drop);
    CHECK(with("> 65535", 1) == drop);
    CHECK(kind("block drop in all\npass in proto udp from any port = 49731 to any" + no_out) ==
          accept);
}

TEST_CASE("flags of TCP") {
    const Packet asked = on_en0(tcp(packet()));
    const auto with = [&](const std::string& flags) {
        return kind("block drop in all\npass in proto tcp all flags " + flags + no_out, asked);
    };
    CHECK(with("S/SA") == accept);
    CHECK(with("any") == accept);
    CHECK(with("A/SA") == drop);
    CHECK(with("/SFRA") == drop);
    CHECK(with("S/SX") == undecided);
    CHECK(kind("block drop in all\npass in all flags S/SA keep state") == accept);  // UDP
}

TEST_CASE("tables: the longest prefix decides, a missing table nothing") {
    const std::string rules = "block drop in all\npass in from <friends> to any" + no_out + "\n";
    const auto with = [&](const std::string& entries) {
        return verdict_of(mac_with(rules, "# pf table friends\n" + entries), on_en0()).kind;
    };
    CHECK(with("   45.67.89.0/24\n") == accept);
    CHECK(with("   45.67.89.0/24\n  !45.67.89.91\n") == drop);
    CHECK(with("  !45.67.89.0/24\n   45.67.89.91\n") == accept);
    CHECK(with("   10.0.0.0/8\n   2001:db8::/32\n") == drop);
    CHECK(with("") == drop);
    CHECK(with("   45.67.89.0/24\n   nonsense\n") == undecided);
    CHECK(kind(rules) == undecided);
    CHECK(verdict_of(mac_with(rules, "# pf table friends\n 45.67.0.0/16\n"),
                     on_en0(from_anybody(packet())))
              .kind == depends);
    CHECK(kind("block drop in quick from ! <friends> to any") == undecided);
}

TEST_CASE("anchors are followed where their rules are there") {
    const std::string rules = "block drop in all" + no_out + "\nanchor \"own\" all\n";
    const auto with = [&](const std::string& after) {
        return verdict_of(mac_with(rules, after), on_en0()).kind;
    };
    CHECK(with("") == undecided);
    CHECK(with("# pf anchor own\npass in proto udp all\n") == accept);
    CHECK(with("# pf anchor own\npass in proto tcp all\n") == drop);
    CHECK(with("# pf anchors\n") == drop);  // there is none of that name
    CHECK(with("# pf anchors\n  own\n") == undecided);
    const Verdict verdict =
        verdict_of(mac_with(rules, "# pf anchor own\npass in quick proto udp all\n"), on_en0());
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->chain == "own");
    // One that is not followed does not matter behind a quick rule.
    CHECK(kind("block drop in quick all\nanchor \"own\" all" + no_out) == drop);
    // Its own conditions hold for what is in it.
    CHECK(verdict_of(mac_with("block drop in all" + no_out + "\nanchor \"own\" in proto tcp all\n",
                              "# pf anchor own\npass in all\n"),
                     on_en0())
              .kind == drop);
    CHECK(kind("block drop in all" + no_out + "\nanchor \"own\" in proto tcp all") == drop);
}

TEST_CASE("anchors below anchors") {
    const std::string rules = "block drop in all" + no_out + "\nanchor \"com.apple/*\" all\n";
    const auto with = [&](const std::string& after) {
        return verdict_of(mac_with(rules, after), on_en0()).kind;
    };
    CHECK(with("") == undecided);
    CHECK(with("# pf anchors\n") == drop);
    CHECK(with("# pf anchors\n com.apple\n com.apple/b\n# pf anchor com.apple/b\npass in all\n") ==
          accept);
    // In the order of their names.
    const std::string both = "# pf anchors\n com.apple/b\n com.apple/a\n";
    CHECK(with(both +
               "# pf anchor com.apple/a\npass in all\n# pf anchor com.apple/b\nblock in all\n") ==
          drop);
    CHECK(with(both +
               "# pf anchor com.apple/b\npass in all\n# pf anchor com.apple/a\nblock in all\n") ==
          accept);
    CHECK(with(both + "# pf anchor com.apple/a\npass in all\n") == undecided);
    // Relative to the anchor that they stand in.
    CHECK(with("# pf anchors\n com.apple/a\n com.apple/a/x\n# pf anchor com.apple/a\nanchor \"x\" "
               "all\n"
               "# pf anchor com.apple/a/x\npass in all\n") == accept);
    // Tables of an anchor go before those of the main list.
    const std::string table =
        "# pf anchors\n com.apple/a\n# pf anchor com.apple/a\npass in from <t> to any\n";
    CHECK(with(table + "# pf table t\n 45.0.0.0/8\n") == accept);
    CHECK(with(table + "# pf table t\n 45.0.0.0/8\n# pf table com.apple/a t\n 46.0.0.0/8\n") ==
          drop);
}

TEST_CASE("names of anchors with spaces") {
    const std::string after =
        "# pf anchors\n  a b\n# pf anchor a b\npass in from <t> to any\n# pf table a b t\n  "
        "45.0.0.0/8\n";
    CHECK(verdict_of(mac_with("block drop in all\nanchor \"a b\" all" + no_out, after), on_en0())
              .kind == accept);
}

TEST_CASE("anchors with their rules in braces") {
    CHECK(kind("block drop in all" + no_out +
               "\nanchor \"own\" in on en0 all {\n  pass in proto udp all\n}") == accept);
    CHECK(kind("block drop in all" + no_out +
               "\nanchor in on en1 all {\n  pass in proto udp all\n}") == drop);
    CHECK(kind("block drop in all" + no_out +
               "\nanchor \"a\" all {\n  anchor \"b\" all {\n    pass in all\n  }\n}") == accept);
    CHECK(kind("anchor quick \"a\" all {\n  block drop in all\n}\npass in all") != accept);
    CHECK(kind("anchor \"a\" quick all {\n  block drop in all\n}\npass in all" + no_out) == drop);
    CHECK(kind("block drop in all\nanchor \"a\" all {\n  pass in all") == undecided);
    std::string deep;
    for (int i = 0; i < 40; ++i) deep += "anchor \"a\" all {\n";
    CHECK(kind(deep + "pass in all") == undecided);
}

TEST_CASE("an anchor that leads back to itself ends") {
    CHECK(verdict_of(mac_with("anchor \"/a\" all\n",
                              "# pf anchor a\nanchor \"/a\" all\nanchor \"/a\" all\n"),
                     on_en0())
              .kind == undecided);
}

TEST_CASE("what is not understood is not passed over") {
    const std::string shut = "block drop in all" + no_out + "\n";
    CHECK(kind(shut + "pass in all divert-to 127.0.0.1 port 8000") == undecided);
    CHECK(kind(shut + "pass in proto tcp all novelty 5") == drop);  // not about the packet anyway
    CHECK(kind("pass in all\nblock drop in quick proto udp all novelty") == undecided);
    CHECK(kind(shut + "pass in all tagged TRUSTED") == undecided);
    CHECK(kind(shut + "pass in route-to (en1 10.0.0.1) all") == undecided);
    CHECK(kind(shut + "pass in all user = 501") == depends);
    CHECK(kind(shut + "pass in all user 501 >< 600 keep state") == depends);
    CHECK(kind(shut + "pass in all probability 50%") == depends);
    CHECK(kind(shut + "pass in all fragment") == drop);
    CHECK(kind(shut + "pass in all keep state (max 5)") == depends);
    CHECK(kind("pass in all keep state (max 5)\nblock drop in all" + no_out) == drop);
    CHECK(kind(shut + "pass in log (all) quick all keep state label \"x y\" tag z") == accept);
    CHECK(kind(shut + "some words") == undecided);
    CHECK(kind("match in all scrub (no-df)\n" + shut + "pass in all") == accept);
}

TEST_CASE("what sends a packet or its answer elsewhere is no all-clear") {
    for (const std::string word :
         {"route-to (en1 10.0.0.1)", "route-to { (en1 10.0.0.1), (en2 10.0.0.1) }",
          "dup-to (en1 10.0.0.1)", "reply-to (en0 10.0.0.1)", "reply-to en1"}) {
        INFO(word);
        const Verdict verdict = ask("pass in on en0 " + word + " inet proto udp all keep state");
        CHECK(verdict.kind == undecided);
        CHECK(says(verdict.why, '"' + word.substr(0, word.find(' ')) + '"'));
        CHECK(kind("pass in on en0 " + word + " inet proto tcp all keep state") == accept);
    }
    for (const std::string word : {"divert-to 127.0.0.1 port 700", "rdr-to 10.0.0.5", "novelty"}) {
        INFO(word);
        CHECK(kind("pass in quick on en0 inet all " + word) == undecided);
        CHECK(kind("pass in on en0 inet all " + word + "\npass in quick all keep state") == accept);
    }
}

TEST_CASE("a group of interfaces whose members are not told") {
    const Verdict verdict = ask("block drop in on egress all");
    CHECK(verdict.kind == undecided);
    CHECK(says(verdict.why, "is in the interface group \"egress\""));
    CHECK(kind("block drop in on ! egress all") == undecided);
    CHECK(kind("block drop in on utun all") == accept);
    CHECK(kind("block drop in on en1 all") == accept);
}

TEST_CASE("redirections may send it elsewhere") {
    const auto with = [](const std::string& nat, const std::string& rules = "",
                         std::uint16_t port = 8000) {
        return verdict_of(mac_with(rules, "", nat + "\n"), on_en0(packet(port))).kind;
    };
    const std::string line =
        "rdr pass on en0 inet proto udp from any to any port = 8000 -> 10.0.0.5 port 80";
    CHECK(with(line) == undecided);
    CHECK(with(line, "", 8001) == accept);
    CHECK(with("nat on en0 inet from 10.0.0.0/8 to any -> (en0) round-robin") == accept);
    CHECK(with("binat on en0 inet from 10.0.0.5 to any -> 192.168.1.23") == undecided);
    CHECK(with("binat on en1 inet from 10.0.0.5 to any -> 192.168.1.23") == accept);
    CHECK(with("rdr-anchor \"x\" all") == undecided);
    CHECK(with("rdr-anchor \"x\" all", "block drop in all" + no_out) == drop);
    CHECK(verdict_of(mac_with("", "# pf anchors\n x\n# pf anchor x\n" + line + "\n",
                              "rdr-anchor \"x\" all\n"),
                     on_en0())
              .kind == undecided);
    CHECK(verdict_of(mac_with("", "# pf anchors\n x\n# pf anchor x\n", "rdr-anchor \"x\" all\n"),
                     on_en0())
              .kind == accept);
}

TEST_CASE("pf off, and interfaces that it skips") {
    const std::string off = "Firewall is disabled. (State = 0)\nStatus: Disabled\n";
    CHECK(verdict_of(off + "# pf rules\nblock drop in quick all\n", on_en0()).kind == accept);
    std::string skip = mac_with("block drop in quick all" + no_out);
    CHECK(verdict_of(skip, on_en0()).kind == drop);
    skip.replace(skip.find("en0\n"), 4, "en0 (skip)\n");
    CHECK(verdict_of(skip, on_en0()).kind == accept);
    Packet anywhere = packet();
    anywhere.interface.clear();
    CHECK(verdict_of(skip, anywhere).kind == depends);
}

TEST_CASE("a file that tells a part: blocked may be known, open is not") {
    const std::string off = "Firewall is disabled. (State = 0)\n";
    const std::string status = "Status: Enabled for 0 days 00:00:01  Debug: Urgent\n";
    const std::string shut = "block drop in all\nblock drop out all\n";
    const Verdict blocked = verdict_of(off + status + shut, on_en0());
    CHECK(blocked.kind == drop);
    CHECK(says(blocked.why, "unless pf is set to skip"));
    CHECK(verdict_of(off + status + "pass in all\n", on_en0()).kind == undecided);
    CHECK(verdict_of(off + status + "nat-anchor \"x\" all\npass in all\n", on_en0()).kind ==
          accept);
    CHECK(verdict_of(off + status, on_en0()).kind == undecided);
    CHECK(verdict_of(off + "pass in all\n", on_en0()).kind == undecided);
    CHECK(verdict_of(off + shut, on_en0()).kind == undecided);
    CHECK(verdict_of(
              "scrub-anchor \"com.apple/*\" all fragment reassemble\nanchor \"com.apple/*\" all\n",
              on_en0())
              .kind == undecided);
}

TEST_CASE("a file with titles that ends too early") {
    std::string text = mac_with("pass in all");
    CHECK(verdict_of(text, on_en0()).kind == accept);
    text.resize(text.find("# pf end"));
    CHECK(verdict_of(text, on_en0()).kind == undecided);
}

TEST_CASE("all of pfctl in one") {
    const std::string text =
        "% sudo pfctl -s all\nNo ALTQ support in kernel\nALTQ related functions disabled\n"
        "TRANSLATION RULES:\nnat-anchor \"com.apple/*\" all\n\nFILTER RULES:\nblock drop in all\n"
        "pass in proto udp from any to any port = 8000 keep state\n\nDUMMYNET RULES:\n"
        "dummynet-anchor \"com.apple/*\" all\n\nSTATES:\nALL udp 1.2.3.4:5 -> 6.7.8.9:10   "
        "SINGLE:NO_TRAFFIC\n\n"
        "INFO:\nStatus: Enabled for 0 days 00:00:09           Debug: Urgent\n\nState Table  Total  "
        "Rate\n"
        "  current entries   3\n\nLABEL COUNTERS:\n\nTIMEOUTS:\ntcp.first   120s\n\nLIMITS:\n"
        "states        hard limit    10000\n\nTABLES:\n\nOS FINGERPRINTS:\n700 fingerprints "
        "loaded\n"
        "Firewall is disabled. (State = 0)\n";
    const Verdict verdict = verdict_of("Firewall is disabled. (State = 0)\n" + text, on_en0());
    CHECK(verdict.kind == accept);
    CHECK(verdict_of("Firewall is disabled. (State = 0)\n" + text, on_en0(packet(8001))).passes ==
          false);
}

TEST_CASE("a Mac with rules of its own") {
    const std::string text = fixture("mac-server.txt");
    const auto ask_it = [&](const Packet& asked) { return verdict_of(text, on_en0(asked)).kind; };
    CHECK(ask_it(packet()) == accept);
    CHECK(ask_it(from("203.0.113.9", packet())) == reply_only);
    CHECK(ask_it(from("203.0.113.7", packet())) == accept);
    CHECK(ask_it(packet(9001)) == accept);
    CHECK(ask_it(packet(9005)) == reply_only);
    CHECK(ask_it(tcp(packet(22))) == reply_only);
    CHECK(ask_it(from("192.168.1.5", tcp(packet(22)))) == accept);
    CHECK(ask_it(tcp(packet(443))) == depends);
    CHECK(ask_it(tcp(packet(6001))) == reply_only);
    CHECK(ask_it(tcp(packet(8080))) == undecided);
}

TEST_CASE("what goes out by pf") {
    Packet out = on_en0();
    out.direction = Direction::out;
    std::swap(*out.source, out.destination);
    CHECK(kind("block drop in all", out) == accept);
    CHECK(kind("block drop out proto udp all", out) == drop);
}

TEST_CASE("remedies of pf") {
    const auto lines = [](const std::string& rules) {
        const ForeignRuleset ruleset = read(mac_with(rules, "# pf anchors\n"));
        return remedy(ruleset, {Family::ipv4, protocol_udp, 8000, "en0"},
                      assess_foreign(ruleset, on_en0(), std::nullopt), std::nullopt);
    };
    const std::string command =
        "echo 'pass in quick inet proto udp from any to any port 8000 keep state' | sudo pfctl -a "
        "com.apple/p2pdiag -f -";
    CHECK(lines("pass in all").empty());
    CHECK(lines("block drop in all\nanchor \"com.apple/*\" all")[0] == command);
    CHECK(lines("anchor \"com.apple/*\" all\nblock drop in quick all")[0] == command);
    // An anchor behind a quick rule is never met.
    for (const std::string& line : lines("block drop in quick all\nanchor \"com.apple/*\" all"))
        CHECK(line.starts_with("# "));
    const auto by_hand = lines("block drop in all");
    REQUIRE(by_hand.size() == 2);
    CHECK(says(by_hand[0], "before the line that became `block drop in all`"));
}

TEST_CASE("where no state is kept, what follows has to pass as well") {
    const auto by_tcp = [](const std::string& rules) { return ask(rules, on_en0(tcp(packet()))); };
    CHECK(kind("pass in all no state\nblock drop out all") == drop);
    CHECK(says(ask("pass in all no state\nblock drop out all").why, "no answer to it leaves"));
    CHECK(kind("block drop out all") == drop);
    CHECK(by_tcp("block drop out all").kind == drop);
    CHECK(kind("pass in all keep state\nblock drop out all") == accept);
    CHECK(kind("pass in all no state\npass out all no state") == accept);
    CHECK(kind("pass in all no state\nblock drop out proto tcp all") == accept);
    CHECK(kind("pass in all no state\nblock drop out from <t> to any") == undecided);
    // Only what was begun is known by its flags.
    const std::string acks = "block drop in quick proto tcp all flags A/A\n";
    CHECK(by_tcp(acks + "pass in all no state").kind == drop);
    CHECK(says(by_tcp(acks + "pass in all no state").why, "what follows does not come in"));
    CHECK(by_tcp(acks + "pass in all keep state").kind == accept);
    CHECK(by_tcp("block drop out quick proto tcp all flags A/SA").kind == drop);
    CHECK(kind(acks + "pass in all no state") == accept);
}

TEST_CASE("by IPv6 neighbour discovery has to pass") {
    const Packet v6 = on_en0(from("2001:db8::9", packet()));
    const auto of = [&](const std::string& rules) { return ask(rules, v6); };
    CHECK(of("pass in all keep state").kind == accept);
    const Verdict shut =
        of("block drop in quick inet6 proto ipv6-icmp all\npass in all keep state");
    CHECK(shut.kind == drop);
    CHECK(says(shut.why, "no neighbour can find this machine"));
    CHECK(of("block drop out quick inet6 proto ipv6-icmp all\npass in all keep state").kind ==
          drop);
    // It answers, but does not look for others.
    CHECK(of("block drop out quick inet6 proto ipv6-icmp all icmp6-type neighbrsol").kind ==
          undecided);
    CHECK(of("block drop in quick inet6 proto ipv6-icmp all icmp6-type echoreq").kind == accept);
    CHECK(kind("block drop in quick inet6 proto ipv6-icmp all\npass in all keep state") == accept);
}
