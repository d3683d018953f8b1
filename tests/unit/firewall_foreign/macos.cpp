// macOS' application firewall, which knows programs.
#include <catch2/catch.hpp>

#include "files.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

constexpr auto accept = VerdictKind::accept;
constexpr auto reply_only = VerdictKind::reply_only;
constexpr auto depends = VerdictKind::depends;
constexpr auto undecided = VerdictKind::undecided;

// With pf off, so that only the application firewall decides.
std::string alf(const std::string& settings) { return settings + "\nStatus: Disabled\n"; }

const std::string on =
    "Firewall is enabled. (State = 1)\nBlock all DISABLED!\n"
    "Automatically allow signed built-in software ENABLED\n"
    "Automatically allow downloaded signed software DISABLED\n";
const std::string apps =
    "ALF: total number of apps = 2 \n\n1 :  /Applications/Chat.app \n \t ( Allow incoming "
    "connections ) \n\n2 :  /opt/rover \n \t ( Block incoming connections ) \n";
const std::string chat = "/Applications/Chat.app/Contents/MacOS/Chat";

VerdictKind kind(const std::string& text, const std::optional<std::string>& program = std::nullopt,
                 std::uint16_t port = 8000) {
    Packet asked = packet(port);
    asked.interface.clear();
    return verdict_of(text, asked, program).kind;
}

}  // namespace

TEST_CASE("the application firewall off") {
    CHECK(kind(alf("Firewall is disabled. (State = 0)")) == accept);
    CHECK(kind(alf("Firewall is disabled. (State = 0)\n" + apps), "/opt/rover") == accept);
    const Verdict verdict = verdict_of(alf("Firewall is disabled. (State = 0)"), packet());
    CHECK(says(verdict.why, "pf is off. macOS' application firewall is off."));
    CHECK(says(verdict.why, "network extensions"));
}

TEST_CASE("a program that is allowed, and one that is blocked") {
    CHECK(kind(alf(on + apps), chat) == accept);
    CHECK(kind(alf(on + apps), "/Applications/Chat.app") == accept);
    const Verdict verdict = verdict_of(alf(on + apps), packet(), "/opt/rover");
    CHECK(verdict.kind == reply_only);
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->owner == "macos-application-firewall");
    CHECK(verdict.deciding_rule->handle == 2);
    CHECK(verdict.deciding_rule->text == "Block incoming connections: /opt/rover");
    const Verdict open = verdict_of(alf(on + apps), packet());
    CHECK(open.kind == depends);
    CHECK(says(open.why, "whether the program is /Applications/Chat.app"));
    CHECK(kind(alf(on + apps), "Chat") == depends);
}

TEST_CASE("a program that is not in the list") {
    // macOS asks.
    CHECK(kind(alf(on + apps), "/opt/talk") == depends);
    CHECK(kind(alf(on + apps), "/Applications/Chat.app.old/Chat") == depends);
    CHECK(kind(alf(on + apps), "/usr/libexec/sshd-keygen-wrapper") == accept);
    CHECK(kind(alf(on + apps), "/usr/local/bin/talk") == depends);
    const std::string strict =
        "Firewall is enabled. (State = 1)\nBlock all DISABLED!\n"
        "Automatically allow signed built-in software DISABLED\n";
    CHECK(kind(alf(strict + apps), "/usr/bin/nc") == depends);
}

TEST_CASE("block all goes before the list") {
    for (const char* line :
         {"Firewall is blocking all non-essential incoming connections. (State = 2)",
          "Firewall is enabled. (State = 2)",
          "Firewall is enabled. (State = 1)\nFirewall has block all state set to enabled.",
          "Firewall is enabled. (State = 1)\nBlock all ENABLED!",
          "Firewall is enabled. (State = 1)\nFirewall is set to block all non-essential incoming "
          "connections",
          "Firewall is enabled. (State = 2)\nBlock all DISABLED!"}) {
        INFO(line);
        CHECK(kind(alf(std::string(line) + '\n' + apps), chat) == reply_only);
        CHECK(kind(alf(std::string(line) + '\n' + apps)) == reply_only);
    }
    // DHCP, Bonjour and IPsec are essential.
    const std::string all = "Firewall is enabled. (State = 2)\n" + apps;
    CHECK(kind(alf(all), std::nullopt, 5353) == depends);
    CHECK(kind(alf(all), std::nullopt, 68) == depends);
}

TEST_CASE("the words of several releases") {
    const std::string newer =
        "Firewall is enabled. (State = 1)\nFirewall has block all state set to disabled.\n"
        "Firewall stealth mode is off\nAutomatically allow built-in signed software ENABLED.\n"
        "Automatically allow downloaded signed software DISABLED.\nTotal number of apps = 1 \n"
        "1 : /opt/talk \n             (Allow incoming connections) \n";
    CHECK(kind(alf(newer), "/opt/talk") == accept);
    CHECK(kind(alf(newer), "/usr/bin/nc") == accept);
    const std::string one_line =
        on + "ALF: total number of apps = 1\n1 : /opt/talk ( Allow incoming connections )\n";
    CHECK(kind(alf(one_line), "/opt/talk") == accept);
    const std::string bundle =
        on + "Total number of apps = 1\n1 : com.example.chat\n(Allow incoming connections)\n";
    CHECK(kind(alf(bundle), chat) == depends);
}

TEST_CASE("what is missing is not taken for open") {
    CHECK(kind(on + apps, chat) == undecided);  // nothing of pf
    CHECK(kind("Status: Disabled\n") == undecided);
    CHECK(kind(alf("Stealth mode enabled\n" + apps), chat) == undecided);
    CHECK(kind(alf("Firewall is enabled. (State = 1)\n" + apps), chat) == undecided);
    CHECK(kind(alf(on), chat) == undecided);
    // A list that was cut off may have had another entry.
    CHECK(kind(alf(on +
                   "ALF: total number of apps = 5\n1 : /opt/a\n( Allow incoming connections )\n"),
               "/opt/talk") == undecided);
    CHECK(kind(alf(on + "ALF: total number of apps = 1\n1 : /opt/a\n( Ask )\n"), "/opt/a") !=
          accept);
    CHECK(kind(alf(on + apps + "Some new sentence\n"), chat) == undecided);
    CHECK(kind(alf(on + apps + "pfctl: /dev/pf: Permission denied\n"), chat) == undecided);
    // Blocked is blocked, whatever pf does; whether answers pass is a matter of pf.
    const Verdict verdict = verdict_of(on + apps, packet(), "/opt/rover");
    CHECK(verdict.passes == false);
    CHECK(verdict.kind == undecided);
}

TEST_CASE("a Mac at home") {
    const std::string text = fixture("mac-home.txt");
    CHECK(recognise(text).format == RulesetFormat::macos);
    CHECK(kind(text, chat) == accept);
    CHECK(kind(text, "/opt/homebrew/bin/rover") == reply_only);
    CHECK(kind(text, "/usr/libexec/rapportd") == accept);
    CHECK(kind(text) == depends);
    const auto entrances = find_entrances(read(text));
    REQUIRE(entrances.size() == 2);
    CHECK(entrances[0].interface.empty());
}

TEST_CASE("remedies of the application firewall") {
    const auto lines = [](const std::string& text, const std::optional<std::string>& program) {
        const ForeignRuleset ruleset = read(text);
        return remedy(ruleset, {Family::ipv4, protocol_udp, 8000, ""},
                      assess_foreign(ruleset, packet(), program), program);
    };
    CHECK(lines(alf(on + apps), chat).empty());
    const auto blocked = lines(alf(on + apps), "/opt/rover");
    REQUIRE(blocked.size() == 2);
    CHECK(blocked[0] ==
          "sudo /usr/libexec/ApplicationFirewall/socketfilterfw --unblockapp '/opt/rover'");
    CHECK(says(blocked[1], "--blockapp '/opt/rover'"));
    const auto fresh = lines(alf(on + apps), "/opt/talk");
    REQUIRE(fresh.size() == 3);
    CHECK(says(fresh[0], "--add '/opt/talk'"));
    const auto nobody = lines(alf(on + apps), std::nullopt);
    for (const std::string& line : nobody) CHECK(line.starts_with("# "));
    const auto evil = lines(alf(on + apps), "/opt/'; rm -rf x;'");
    for (const std::string& line : evil) CHECK(line.starts_with("# "));
    const auto all = lines(alf("Firewall is enabled. (State = 2)\n" + apps), chat);
    REQUIRE(all.size() >= 2);
    CHECK(says(all[1], "--setblockall off"));
    for (const std::string& line : all) CHECK_FALSE(says(line, "--setglobalstate off"));
    const auto part = lines(on + apps, chat);
    REQUIRE(part.size() == 2);
    CHECK(part[1] == macos::collect_command);
}
