// Whole documents, in the ways that PowerShell writes them.
#include <catch2/catch.hpp>

#include "windows_rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

Verdict ask(const std::string& file, const Packet& packet,
            const std::optional<std::string>& program = std::nullopt) {
    return verdict_of(fixture(file), packet, program);
}

const std::string chat = "C:\\Program Files\\Chat\\chat.exe";
const std::string rover = "C:\\Games\\Rover\\rover.exe";

}  // namespace

TEST_CASE("a machine at home, by PowerShell 5 and with the names of PowerShell 7") {
    for (const std::string file : {"home.json", "names.json"}) {
        INFO(file);
        CHECK(ask(file, packet(), chat).kind == VerdictKind::accept);
        const Verdict game = ask(file, packet(), rover);
        CHECK(game.kind == VerdictKind::reply_only);
        REQUIRE(game.deciding_rule);
        CHECK(game.deciding_rule->comment == "rover.exe");
        CHECK(ask(file, packet(), "C:\\talk.exe").kind == VerdictKind::reply_only);
        // Nobody said which program: it is a matter of that.
        const Verdict open = ask(file, packet());
        CHECK(open.kind == VerdictKind::depends);
        CHECK(says(open.why, "chat.exe"));
        CHECK(ask(file, tcp(packet(443)), "C:\\web.exe").kind == VerdictKind::accept);
        CHECK(ask(file, packet(7005), "C:\\web.exe").kind == VerdictKind::accept);
        CHECK(ask(file, from("45.67.89.92", packet(7005)), "C:\\web.exe").kind ==
              VerdictKind::reply_only);
        CHECK(ask(file, from("192.168.1.4", packet(7005)), "C:\\web.exe").kind ==
              VerdictKind::accept);
        // Of the domain's profile, which is not active here.
        CHECK(ask(file, from("10.20.1.1", tcp(packet(10050))), "C:\\agent.exe").kind ==
              VerdictKind::reply_only);
        CHECK(ask(file, from("2001:db8::9", packet()), chat).kind == VerdictKind::accept);
    }
}

TEST_CASE("the ways into a machine") {
    const auto entrances = find_entrances(read(fixture("home.json")));
    REQUIRE(entrances.size() == 2);
    CHECK(entrances[0].interface == "Wi-Fi");
    CHECK(entrances[0].network == "Private");
    CHECK(entrances[0].address == ip("192.168.1.23"));
    CHECK(entrances[1].address == ip("2001:db8:1:2::23"));
    const auto unknown = find_entrances(read(fixture("plain.json")));
    REQUIRE(unknown.size() == 2);
    CHECK(unknown[0].interface.empty());
    CHECK(unknown[0].address == IpAddress());
    CHECK(unknown[1].address == ip("::"));
}

TEST_CASE("the plain list of rules tells neither ports nor profiles, and nothing is made of it") {
    const Verdict verdict = ask("plain.json", packet());
    CHECK(verdict.kind == VerdictKind::undecided);
    CHECK_FALSE(verdict.passes);
    CHECK(says(verdict.why, "which the file does not tell"));
    const auto lines = remedy(read(fixture("plain.json")), {Family::ipv4, protocol_udp, 8000, ""},
                              verdict, std::nullopt);
    REQUIRE(lines.size() == 2);
    CHECK(lines[1] == windows::collect_command);
}

TEST_CASE("a single rule is no list, and no rule at all is one") {
    CHECK(refusal(rule("a")) == "read");
    CHECK(verdict_of(rule("a"), packet()).kind == VerdictKind::undecided);
    CHECK(verdict_of("{\"value\":[" + rule("a") + "],\"Count\":1}", packet()).kind ==
          VerdictKind::undecided);
    CHECK(kind_of({}, packet()) == VerdictKind::reply_only);
}

TEST_CASE("filters stand beside their rules") {
    const std::string bare =
        R"({"InstanceID":"x","DisplayName":"x","Enabled":1,"Direction":1,"Action":2,"Profile":0})";
    const auto with = [&](const std::string& ports) {
        return R"({"format":"p2pdiag-windows-firewall","profiles":[{"Name":"Private","Enabled":1,)"
               R"("DefaultInboundAction":4,"DefaultOutboundAction":2,"AllowInboundRules":1,)"
               R"("AllowLocalFirewallRules":1}],"rules":)" +
               bare + R"(,"ports":)" + ports +
               R"(,"addresses":{"InstanceID":"x","LocalAddress":"Any","RemoteAddress":"Any"},)"
               R"("applications":{"InstanceID":"x","Program":"Any","Package":null},)"
               R"("interfaces":{"InstanceID":"x","InterfaceAlias":"Any"},)"
               R"("interface_types":{"InstanceID":"x","InterfaceType":0},)"
               R"("services":{"InstanceID":"x","Service":"Any"},)"
               R"("security":{"InstanceID":"x","Authentication":0,"OverrideBlockRules":false,)"
               R"("LocalUser":"Any","RemoteUser":"Any","RemoteMachine":"Any"},)"
               R"("connections":{"InterfaceAlias":"Wi-Fi","NetworkCategory":1}})";
    };
    const std::string open =
        R"({"InstanceID":"x","Protocol":"UDP","LocalPort":"8000","RemotePort":"Any"})";
    const std::string shut =
        R"({"InstanceID":"x","Protocol":"UDP","LocalPort":"9000","RemotePort":"Any"})";
    CHECK(verdict_of(with(open), packet()).kind == VerdictKind::accept);
    CHECK(verdict_of(with("[" + shut + "]"), packet()).kind == VerdictKind::reply_only);
    CHECK(verdict_of(with("[]"), packet()).kind == VerdictKind::undecided);
    // Two rules of one id in the active store: whose ports these are is not told.
    CHECK(verdict_of(with("[" + open + "," + open + "]"), packet()).kind == VerdictKind::accept);
    CHECK(verdict_of(with("[" + open + "," + shut + "]"), packet()).kind == VerdictKind::undecided);
}

TEST_CASE("texts in UTF-16 and with a byte order mark") {
    CHECK(decode_file("\xEF\xBB\xBF{}") == "{}");
    CHECK(decode_file(std::string("\xFF\xFE{\0}\0", 6)) == "{}");
    CHECK(decode_file(std::string("\xFE\xFF\0{\0}", 6)) == "{}");
    CHECK(decode_file(std::string("{\0}\0", 4)) == "{}");
    CHECK(decode_file(std::string("\xFF\xFE\xE4\0\xAC\x20\x3D\xD8\x00\xDE", 10)) ==
          "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    // Half a pair, and half a unit.
    CHECK(decode_file(std::string("\xFF\xFE\x3D\xD8x\0", 6)) == "\xEF\xBF\xBDx");
    CHECK(decode_file(std::string("\xFF\xFE\x00\xDE", 4)) == "\xEF\xBF\xBD");
    CHECK(decode_file(std::string("\xFF\xFEx\0y", 5)) == "x");
    CHECK(decode_file("").empty());
}
