// What no machine writes.
#include <catch2/catch.hpp>

#include "windows_rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

TEST_CASE("every beginning of a document is refused") {
    const std::string text = fixture("home.json");
    for (std::size_t size = 0; size + 3 < text.size(); size += 97) {
        CHECK(refusal(text.substr(0, size)) != "read");
    }
}

TEST_CASE("too large, too deep, too many") {
    CHECK(
        says(refusal("{\"EdgeTraversalPolicy\":\"" + std::string(65U << 20, 'x')), "larger than"));
    CHECK(says(refusal("[{\"EdgeTraversalPolicy\":" + std::string(9'000'000, '[')), "values"));
    CHECK(says(refusal("[{\"EdgeTraversalPolicy\":" + std::string(200, '[')), "not JSON"));
    std::string many = "[";
    const std::string one = R"({"Direction":1,"Action":2})";
    for (int i = 0; i < 100'001; ++i) many += (i == 0 ? "" : ",") + one;
    CHECK(refusal(many + ']') == "more than 100000 rules");
}

TEST_CASE("other types than expected") {
    CHECK(says(refusal("[{\"EdgeTraversalPolicy\":0},5]"), "entry 1 is no firewall rule"));
    CHECK(says(refusal("[1,{\"EdgeTraversalPolicy\":0}]"), "entry 1"));
    CHECK(says(refusal(R"({"format":"p2pdiag-windows-firewall"})"), "no list \"rules\""));
    CHECK(says(refusal(R"({"format":"p2pdiag-windows-firewall","rules":"none"})"), "entry 1"));
    CHECK(says(refusal(R"({"format":7,"Direction":0,"EdgeTraversalPolicy":0})"), "entry 1"));
    for (const char* value : {"{}", "[]", "[[]]", "true", "-1", "1e300", "18446744073709551615",
                              "\"\"", "[null]", "{\"value\":{}}", "[1,\"a\",{}]"}) {
        for (const char* member : {"Enabled",
                                   "Direction",
                                   "Action",
                                   "Profile",
                                   "Protocol",
                                   "LocalPort",
                                   "RemoteAddress",
                                   "Program",
                                   "Package",
                                   "Service",
                                   "InterfaceAlias",
                                   "InterfaceType",
                                   "Authentication",
                                   "OverrideBlockRules",
                                   "LocalUser",
                                   "Owner",
                                   "EnforcementStatus",
                                   "InstanceID",
                                   "DisplayName",
                                   "PolicyStoreSourceType",
                                   "EdgeTraversalPolicy"}) {
            INFO(member << " " << value);
            const std::string text = document({rule("a", {{member, value}})});
            CHECK(refusal(text) == "read");
            CHECK_FALSE(verdict_of(text, packet()).why.empty());
        }
        for (const char* member : {"Name", "Enabled", "DefaultInboundAction", "AllowInboundRules",
                                   "AllowLocalFirewallRules", "DisabledInterfaceAliases"}) {
            INFO(member << " " << value);
            Machine machine;
            machine.settings = {{member, value}};
            CHECK(refusal(document({}, machine)) == "read");
            CHECK(kind_of({block("b")}, packet(), machine) != VerdictKind::accept);
        }
        Machine machine;
        machine.connections = machine.ip = value;
        CHECK(kind_of({}, packet(), machine) == VerdictKind::reply_only);
    }
}

TEST_CASE("bytes that no text has") {
    CHECK(refusal(std::string("[{\"EdgeTraversalPolicy\":\0}]", 27)) != "read");
    CHECK(refusal("[{\"EdgeTraversalPolicy\":\"\\ud800\"}]") != "read");
    CHECK(refusal(std::string("\xFF\xFE", 2)) != "read");
    CHECK(refusal("[{\"EdgeTraversalPolicy\":0}] trailing") != "read");
    const Verdict verdict =
        verdict_of(document({rule("a", {{"DisplayName", "\"\\u001b[2J\\u202e\xFF evil\""},
                                        {"Program", "\"C:\\\\\\u001b]0;x\\u0007.exe\""}})}),
                   packet());
    REQUIRE_FALSE(verdict.trace.empty());
    for (const std::string& text : {verdict.why, verdict.open[0], verdict.trace[0].rule.text,
                                    verdict.trace[0].rule.comment}) {
        for (const char c : text) CHECK((c >= ' ' && c <= '~'));
    }
}

TEST_CASE("ten thousand rules are no matter of time or memory") {
    std::vector<std::string> rules;
    for (int i = 0; i < 10'000; ++i) {
        rules.push_back(rule("same", {{"LocalPort", "\"" + std::to_string(i + 1) + "\""}}));
    }
    CHECK(kind_of(rules, packet()) == VerdictKind::accept);
    CHECK(kind_of(rules, packet(20'000)) == VerdictKind::reply_only);
}

TEST_CASE(
    "every beginning of what a Mac prints gets a verdict, and no more open a one than the whole") {
    const std::string text = fixture("mac-server.txt");
    for (std::size_t size = 0; size <= text.size(); size += 13) {
        const ForeignReading reading = read_foreign(text.substr(0, size));
        if (!reading) continue;
        Packet asked = tcp(packet(4000));
        asked.interface = "en0";
        CHECK(assess_foreign(*reading, asked, std::nullopt).kind != VerdictKind::accept);
    }
}

TEST_CASE("a Mac's file without measure") {
    std::string rules =
        "Firewall is disabled. (State = 0)\n# pf info\nStatus: Enabled\n# pf rules\n";
    for (int i = 0; i < 20'000; ++i)
        rules += "block drop in proto udp from any to any port = " + std::to_string(i) + "\n";
    CHECK(verdict_of(rules + "# pf end\n", packet()).passes == false);
    // Anchors that call each other multiply.
    std::string anchors =
        "Firewall is disabled. (State = 0)\n# pf info\nStatus: Enabled\n# pf rules\nanchor \"/a\" "
        "all\n";
    for (const char name : {'a', 'b', 'c'}) {
        anchors += std::string("# pf anchor ") + name + "\n";
        for (int i = 0; i < 200; ++i) {
            for (const char other : {'a', 'b', 'c'})
                anchors += std::string("anchor \"/") + other + "\" all\n";
        }
    }
    CHECK(verdict_of(anchors, packet()).kind == VerdictKind::undecided);
    CHECK(verdict_of("# pf rules\npass in all " + std::string(1'000'000, 'x') + "\n", packet())
              .kind == VerdictKind::undecided);
    std::string words = "# pf rules\npass in all";
    for (int i = 0; i < 5000; ++i) words += " label x";
    CHECK(verdict_of(words, packet()).kind == VerdictKind::undecided);
    const Verdict verdict = verdict_of(
        "Firewall is disabled. (State = 0)\n# pf info\nStatus: Enabled\n# pf nat\n# pf rules\n"
        "block drop in quick all label \"\x1b[2J\xff\"\n",
        packet());
    for (const char c : verdict.why) CHECK((c >= ' ' && c <= '~'));
}
