// What the user is told to type.
#include <catch2/catch.hpp>

#include "windows_rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

std::vector<std::string> lines_for(const std::string& text,
                                   const std::optional<std::string>& program = std::nullopt,
                                   const std::string& interface = "Wi-Fi") {
    const ForeignRuleset ruleset = read(text);
    Packet asked = packet();
    asked.interface = interface;
    const Verdict verdict = assess_foreign(ruleset, asked, program);
    return remedy(ruleset, {Family::ipv4, protocol_udp, 8000, interface}, verdict, program);
}

}  // namespace

TEST_CASE("nothing to do where it is open") { CHECK(lines_for(document({rule("a")})).empty()); }

TEST_CASE("one port, one protocol, the active profile") {
    const auto lines = lines_for(document({}));
    REQUIRE(lines.size() == 3);
    CHECK(lines[0] ==
          "New-NetFirewallRule -DisplayName 'p2pdiag UDP 8000' -Direction Inbound -Action Allow "
          "-Protocol UDP -LocalPort 8000 -Profile Private");
    CHECK(says(lines[1],
               "netsh advfirewall firewall add rule name=\"p2pdiag UDP 8000\" dir=in "
               "action=allow protocol=UDP localport=8000 profile=Private"));
    CHECK(says(lines[2], "Remove-NetFirewallRule -DisplayName 'p2pdiag UDP 8000'"));
}

TEST_CASE("for the program, where it is known and can be quoted") {
    CHECK(says(lines_for(document({}), "C:\\Program Files\\Chat\\chat.exe")[0],
               " -Program 'C:\\Program Files\\Chat\\chat.exe'"));
    for (const char* path : {"C:\\o'brien\\chat.exe", "C:\\a\xE2\x80\x99; del\\chat.exe",
                             "C:\\a\x1b[2J\\chat.exe", "chat.exe", "C:\\\xFF.exe"}) {
        CHECK_FALSE(says(lines_for(document({}), path)[0], "-Program"));
    }
}

TEST_CASE("a profile that is not known is looked up there") {
    Machine machine;
    machine.connections = "[]";
    CHECK(says(lines_for(document({}, machine))[0], "Get-NetConnectionProfile"));
}

TEST_CASE("a rule that blocks has to go first") {
    const auto wide = lines_for(document({block("b", {{"LocalPort", "\"Any\""}})}));
    CHECK(says(wide[0], "The rule \"b\" blocks it"));
    CHECK(says(wide[1], "narrow it"));
    CHECK(says(wide[2], "New-NetFirewallRule"));
    const auto narrow = lines_for(document({block("b")}));
    CHECK(narrow[1] == "Disable-NetFirewallRule -Name 'b'");
    const auto policy = lines_for(document({block("b", {{"PolicyStoreSourceType", "2"}})}));
    CHECK(says(policy[1], "group policy"));
    const auto evil = lines_for(document({block("b", {{"InstanceID", "\"b'; del *\""}})}));
    for (const std::string& line : evil) CHECK_FALSE(says(line, "del *"));
}

TEST_CASE("block all and merge off are said") {
    Machine machine;
    machine.settings = {{"AllowInboundRules", "0"}};
    const auto shields = lines_for(document({}, machine));
    CHECK(says(shields[0], "every rule that allows comes back into force"));
    CHECK(says(shields[1], "Get-NetFirewallRule"));
    CHECK(shields[2] == "Set-NetFirewallProfile -Name Private -AllowInboundRules True");
    CHECK(shields[3] ==
          "# to take it back: Set-NetFirewallProfile -Name Private -AllowInboundRules False");
    machine.settings = {{"AllowLocalFirewallRules", "0"}};
    const auto merge = lines_for(document({}, machine));
    CHECK(merge.size() == 2);
    for (const std::string& line : merge) CHECK(line.starts_with("# "));
}

TEST_CASE("no firewall is ever switched off") {
    Machine machine;
    for (const char* settings : {"AllowInboundRules", "AllowLocalFirewallRules", "Enabled"}) {
        machine.settings = {{settings, "9"}};
        for (const std::string& line : lines_for(document({block("b")}, machine))) {
            CHECK_FALSE(says(line, "-Enabled False"));
            CHECK_FALSE(says(line, "allprofiles state off"));
        }
    }
}
