// What Windows' firewall does with a packet, one behaviour after the other.
#include <catch2/catch.hpp>

#include "windows_rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

constexpr auto accept = VerdictKind::accept;
constexpr auto reply_only = VerdictKind::reply_only;
constexpr auto depends = VerdictKind::depends;
constexpr auto undecided = VerdictKind::undecided;

const std::string chat = R"("C:\\Program Files\\Chat\\chat.exe")";
const std::string chat_path = R"(C:\Program Files\Chat\chat.exe)";

}  // namespace

TEST_CASE("without a rule incoming is blocked and answers pass") {
    const Verdict verdict = verdict_of(document({}), packet());
    CHECK(verdict.kind == reply_only);
    CHECK(verdict.passes == false);
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->owner == "windows-firewall");
    CHECK(verdict.deciding_rule->table == "profile Private");
    CHECK(verdict.deciding_rule->text == "DefaultInboundAction Block");
    CHECK(says(verdict.why, "blocked by default on networks of the profile Private"));
    CHECK(says(verdict.why, "other security programs"));
}

TEST_CASE("a rule that allows lets the packet in, and is named") {
    const Verdict verdict =
        verdict_of(document({rule("other", {{"LocalPort", "\"9000\""}}), rule("mine")}), packet());
    CHECK(verdict.kind == accept);
    CHECK(verdict.passes == true);
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->handle == 2);
    CHECK(verdict.deciding_rule->comment == "mine");
    CHECK(verdict.deciding_rule->text == "Allow UDP port 8000");
    CHECK(says(verdict.why, "other security programs"));
    REQUIRE(verdict.trace.size() == 1);
    CHECK(verdict.trace[0].outcome == "accept");
    CHECK(verdict.trace[0].certain);
}

TEST_CASE("a rule that blocks goes before one that allows, in whatever order") {
    CHECK(kind_of({rule("a"), block("b")}, packet()) == reply_only);
    CHECK(kind_of({block("b"), rule("a")}, packet()) == reply_only);
    const Verdict verdict = verdict_of(document({rule("a"), block("b")}), packet());
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->comment == "b");
    CHECK(kind_of({rule("a"), block("b", {{"LocalPort", "\"8001\""}})}, packet()) == accept);
}

TEST_CASE("a rule that overrides blocks does so for those who prove by IPsec who they are") {
    const Members bypass = {{"Authentication", "1"}, {"OverrideBlockRules", "true"}};
    CHECK(kind_of({rule("a", bypass), block("b")}, packet()) == depends);
    CHECK(kind_of({rule("a", {{"Authentication", "1"}}), block("b")}, packet()) == reply_only);
    CHECK(kind_of({rule("a", {{"Authentication", "1"}})}, packet()) == depends);
    CHECK(kind_of({rule("a", {{"Action", "3"}, {"Authentication", "1"}}), block("b")}, packet()) ==
          depends);
}

TEST_CASE("block all: rules that allow do not count") {
    Machine machine;
    machine.settings = {{"AllowInboundRules", "0"}};
    const Verdict verdict = verdict_of(document({rule("a")}, machine), packet());
    CHECK(verdict.kind == reply_only);
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->text == "AllowInboundRules False");
    machine.settings = {{"AllowInboundRules", "0"}, {"DefaultInboundAction", "2"}};
    CHECK(kind_of({rule("a")}, packet(), machine) == reply_only);
}

TEST_CASE("merge off: rules of the machine do not count, those of a group policy do") {
    Machine machine;
    machine.settings = {{"AllowLocalFirewallRules", "0"}};
    const Verdict verdict = verdict_of(document({rule("a")}, machine), packet());
    CHECK(verdict.kind == reply_only);
    CHECK(says(verdict.why,
               "The rule \"a\" would let it in, but rules of this machine do not count"));
    REQUIRE(verdict.trace.size() >= 2);
    CHECK(says(verdict.trace[0].outcome, "does not count"));
    CHECK(kind_of({rule("a", {{"PolicyStoreSourceType", "2"}})}, packet(), machine) == accept);
    // Where it came from is not told: it may count or not.
    CHECK(kind_of({rule("a", {{"PolicyStoreSourceType", "null"}})}, packet(), machine) ==
          undecided);
    // Local rules that block do not count either.
    CHECK(kind_of({rule("a", {{"PolicyStoreSourceType", "2"}}), block("b")}, packet(), machine) ==
          accept);
}

TEST_CASE("merge off as Windows notes it with the rule") {
    for (const char* status : {"[16]", "\"16\"", "[\"LocalFirewallRulesDisallowed\"]", "[5,16]"}) {
        INFO(status);
        const Verdict verdict =
            verdict_of(document({rule("a", {{"EnforcementStatus", status}})}), packet());
        CHECK(verdict.kind == reply_only);
        CHECK(says(verdict.why, "would let it in"));
    }
    CHECK(kind_of({rule("a", {{"EnforcementStatus", "[5,1]"}})}, packet()) == accept);
    CHECK(kind_of({rule("a", {{"EnforcementStatus", "[7]"}})}, packet()) == undecided);
    CHECK(kind_of({rule("a", {{"EnforcementStatus", "[\"Novel\"]"}})}, packet()) == undecided);
    CHECK(kind_of({rule("a", {{"PrimaryStatus", "3"}})}, packet()) == undecided);
}

TEST_CASE("a profile that is off lets everything in") {
    Machine machine;
    machine.settings = {{"Enabled", "0"}};
    const Verdict verdict = verdict_of(document({block("b")}, machine), packet());
    CHECK(verdict.kind == accept);
    CHECK(says(verdict.why, "is off on networks of the profile Private"));
    machine.settings = {{"DisabledInterfaceAliases", "[\"wi-fi\"]"}};
    CHECK(kind_of({block("b")}, packet(), machine) == accept);
    machine.settings = {{"DisabledInterfaceAliases", "[\"Ethernet\"]"}};
    CHECK(kind_of({}, packet(), machine) == reply_only);
    Packet anywhere = packet();
    anywhere.interface.clear();
    CHECK(kind_of({}, anywhere, machine) == depends);
}

TEST_CASE("incoming allowed by default: only rules that block count") {
    Machine machine;
    machine.settings = {{"DefaultInboundAction", "2"}};
    CHECK(kind_of({}, packet(), machine) == accept);
    CHECK(kind_of({block("b")}, packet(), machine) == reply_only);
    machine.settings = {{"DefaultInboundAction", "4"}};
    CHECK(kind_of({}, packet(), machine) == reply_only);
    machine.settings = {{"DefaultInboundAction", "7"}};
    CHECK(kind_of({}, packet(), machine) == undecided);
}

TEST_CASE("the profile is that of the interface's network") {
    const std::string only_private = rule("a", {{"Profile", "2"}});
    CHECK(kind_of({only_private}, packet()) == accept);
    Machine machine;
    machine.connections = R"({"InterfaceAlias":"Wi-Fi","NetworkCategory":0})";
    const Verdict verdict = verdict_of(document({only_private}, machine), packet());
    CHECK(verdict.kind == reply_only);
    CHECK(
        says(verdict.why,
             "The rule \"a\" would let it in, but it is not for networks of the profile Public."));
    machine.connections = R"([{"InterfaceAlias":"Wi-Fi","NetworkCategory":"DomainAuthenticated"}])";
    CHECK(kind_of({only_private}, packet(), machine) == reply_only);
    CHECK(kind_of({rule("a", {{"Profile", "\"Domain, Private\""}})}, packet(), machine) == accept);
    CHECK(kind_of({rule("a", {{"Profile", "2147483647"}})}, packet(), machine) == accept);
}

TEST_CASE("a network that is not known leaves open what depends on it, and no more") {
    Machine two;
    two.connections = R"([{"InterfaceAlias":"Wi-Fi","NetworkCategory":1},
                          {"InterfaceAlias":"Ethernet","NetworkCategory":0}])";
    Packet anywhere = packet();
    anywhere.interface.clear();
    const std::string only_private = rule("a", {{"Profile", "2"}});
    const Verdict verdict = verdict_of(document({only_private}, two), anywhere);
    CHECK(verdict.kind == depends);
    CHECK(says(verdict.why, "which network profile is active"));
    CHECK(kind_of({rule("a")}, anywhere, two) == accept);
    CHECK(kind_of({rule("a", {{"Profile", "6"}})}, anywhere, two) == accept);
    Packet elsewhere = packet();
    elsewhere.interface = "VPN";
    CHECK(kind_of({rule("a", {{"Profile", "6"}})}, elsewhere, two) == depends);
    CHECK(kind_of({}, elsewhere, two) == reply_only);
}

TEST_CASE("a rule of a program is for that program") {
    const std::string for_chat = rule("a", {{"Program", chat}, {"LocalPort", "\"Any\""}});
    const Verdict open = verdict_of(document({for_chat}), packet());
    CHECK(open.kind == depends);
    REQUIRE(open.open.size() == 1);
    CHECK(open.open[0] == "whether the program is C:\\Program Files\\Chat\\chat.exe");
    CHECK(kind_of({for_chat}, packet(), {}, chat_path) == accept);
    CHECK(kind_of({for_chat}, packet(), {}, "c:/program files/CHAT/chat.exe") == accept);
    CHECK(kind_of({for_chat}, packet(), {}, "C:\\other\\chat.exe") == reply_only);
    CHECK(kind_of({for_chat}, packet(), {}, "chat.exe") == depends);
    CHECK(kind_of({for_chat}, packet(), {}, "talk.exe") == reply_only);
    // A block of another program does not matter; that of an unknown one does.
    const std::string block_chat = block("b", {{"Program", chat}});
    CHECK(kind_of({rule("a"), block_chat}, packet(), {}, "C:\\talk.exe") == accept);
    CHECK(kind_of({rule("a"), block_chat}, packet()) == depends);
    CHECK(kind_of({block_chat}, packet()) == reply_only);
}

TEST_CASE("paths of programs with variables and short names") {
    const auto with = [](const std::string& path) {
        return rule("a", {{"Program", '"' + path + '"'}});
    };
    CHECK(kind_of({with("%SystemRoot%\\\\system32\\\\svchost.exe")}, packet(), {},
                  "C:\\Windows\\System32\\svchost.exe") == accept);
    CHECK(kind_of({with("%SystemRoot%\\\\system32\\\\svchost.exe")}, packet(), {},
                  "D:\\Windows\\System32\\svchost.exe") == depends);
    CHECK(kind_of({with("%OWN%\\\\chat.exe")}, packet(), {}, chat_path) == depends);
    CHECK(kind_of({with("%OWN%\\\\talk.exe")}, packet(), {}, chat_path) == reply_only);
    CHECK(kind_of({with("C:\\\\PROGRA~1\\\\Chat\\\\chat.exe")}, packet(), {}, chat_path) ==
          depends);
    CHECK(kind_of({with("System")}, packet(), {}, chat_path) == reply_only);
    CHECK(kind_of({with("System")}, packet(), {}, "System") == accept);
}

TEST_CASE("services, users and app packages") {
    CHECK(kind_of({rule("a", {{"Service", "\"Dhcp\""}})}, packet()) == depends);
    CHECK(kind_of({rule("a", {{"LocalUser", "\"D:(A;;CC;;;S-1-5-21-1-2-3-1001)\""}})}, packet()) ==
          depends);
    CHECK(kind_of({rule("a", {{"Owner", "\"S-1-5-21-1-2-3-1001\""}})}, packet()) == depends);
    CHECK(kind_of({rule("a", {{"RemoteMachine", "\"O:LSD:(A;;CC;;;S-1-5-21-1)\""}})}, packet()) ==
          depends);
    const std::string package = rule("a", {{"Package", "\"S-1-15-2-1\""}});
    CHECK(kind_of({package}, packet()) == depends);
    CHECK(kind_of({package}, packet(), {}, chat_path) == reply_only);
    CHECK(kind_of({package}, packet(), {}, "C:\\Program Files\\WindowsApps\\Music\\music.exe") ==
          depends);
}

TEST_CASE("interfaces and their types") {
    CHECK(kind_of({rule("a", {{"InterfaceAlias", "[\"Ethernet\",\"WI-FI\"]"}})}, packet()) ==
          accept);
    CHECK(kind_of({rule("a", {{"InterfaceAlias", "\"Ethernet\""}})}, packet()) == reply_only);
    // What a name with wildcards stands for is Windows' to say.
    CHECK(kind_of({rule("a", {{"InterfaceAlias", "\"Wi*\""}})}, packet()) == depends);
    CHECK(kind_of({rule("a", {{"InterfaceAlias", "[\"E*\",\"Wi-Fi\"]"}})}, packet()) == accept);
    CHECK(kind_of({rule("a", {{"InterfaceType", "2"}})}, packet()) == depends);
    CHECK(kind_of({rule("a", {{"InterfaceType", "\"Any\""}})}, packet()) == accept);
    Packet anywhere = packet();
    anywhere.interface.clear();
    CHECK(kind_of({rule("a", {{"InterfaceAlias", "\"Ethernet\""}})}, anywhere) == depends);
}

TEST_CASE("edge traversal is for what comes by Teredo") {
    Machine machine;
    machine.connections =
        R"([{"InterfaceAlias":"Teredo Tunneling Pseudo-Interface","NetworkCategory":0}])";
    Packet tunnelled = from("2001:db8::5", packet());
    tunnelled.interface = "Teredo Tunneling Pseudo-Interface";
    CHECK(kind_of({rule("a")}, tunnelled, machine) == reply_only);
    CHECK(kind_of({rule("a", {{"EdgeTraversalPolicy", "1"}})}, tunnelled, machine) == accept);
    CHECK(kind_of({rule("a", {{"EdgeTraversalPolicy", "\"DeferToApp\""}})}, tunnelled, machine) ==
          depends);
    Machine open = machine;
    open.settings = {{"DefaultInboundAction", "2"}};
    CHECK(kind_of({block("b")}, tunnelled, open) == reply_only);
}

TEST_CASE("the local subnet is that of the interface") {
    const std::string near = rule("a", {{"RemoteAddress", "\"LocalSubnet\""}});
    CHECK(kind_of({near}, from("192.168.1.77", packet())) == accept);
    CHECK(kind_of({near}, packet()) == reply_only);
    CHECK(kind_of({near}, from_anybody(packet())) == depends);
    CHECK(kind_of({rule("a", {{"RemoteAddress", "\"LocalSubnet6\""}})},
                  from("192.168.1.77", packet())) == reply_only);
    Machine unknown;
    unknown.ip = "[]";
    CHECK(kind_of({near}, from("192.168.1.77", packet()), unknown) == depends);
    CHECK(kind_of({near}, from("2001:db8::5", packet())) == depends);
    CHECK(kind_of({rule("a", {{"RemoteAddress", "\"DefaultGateway\""}})}, packet()) == depends);
}

TEST_CASE("addresses in every form that Windows writes") {
    const auto kind = [](const std::string& addresses, const char* source) {
        return kind_of({rule("a", {{"RemoteAddress", addresses}})}, from(source, packet()));
    };
    CHECK(kind("\"10.1.2.3\"", "10.1.2.3") == accept);
    CHECK(kind("\"10.1.2.3\"", "10.1.2.4") == reply_only);
    CHECK(kind("\"10.0.0.0/8\"", "10.255.0.1") == accept);
    CHECK(kind("\"10.20.0.0/255.255.0.0\"", "10.20.9.9") == accept);
    CHECK(kind("\"10.20.0.0/255.255.0.0\"", "10.21.0.1") == reply_only);
    CHECK(kind("\"10.20.0.0/255.0.255.0\"", "10.21.0.1") == undecided);
    CHECK(kind("\"10.0.0.5-10.0.0.9\"", "10.0.0.7") == accept);
    CHECK(kind("\"10.0.0.5-10.0.0.9\"", "10.0.0.10") == reply_only);
    CHECK(kind("[\"1.1.1.1\",\"fd12::/32\"]", "fd12::5") == accept);
    CHECK(kind("\"fe80::1-fe80::9\"", "fe80::a") == reply_only);
    CHECK(kind("\"0.0.0.0/0\"", "10.0.0.1") == accept);
    CHECK(kind("\"10.0.0.9-10.0.0.5\"", "10.0.0.7") == undecided);
    CHECK(kind("\"a corner of the net\"", "10.0.0.7") == undecided);
    CHECK(kind("{\"value\":[\"10.1.2.3\"],\"Count\":1}", "10.1.2.3") == accept);
    CHECK(kind_of({rule("a", {{"RemoteAddress", "\"10.1.2.3\""}})}, from_anybody(packet())) ==
          depends);
    CHECK(kind_of({rule("a", {{"LocalAddress", "\"192.168.1.23\""}})}, packet()) == accept);
    Packet to_anywhere = packet();
    to_anywhere.destination = IpAddress();
    CHECK(kind_of({rule("a", {{"LocalAddress", "\"192.168.1.23\""}})}, to_anywhere) == depends);
}

TEST_CASE("ports and protocols") {
    const auto kind = [](const std::string& ports) {
        return kind_of({rule("a", {{"LocalPort", ports}})}, packet());
    };
    CHECK(kind("8000") == accept);
    CHECK(kind("[\"1\",\"7990-8010\"]") == accept);
    CHECK(kind("\"8001-8010\"") == reply_only);
    CHECK(kind("\"RPC\"") == depends);
    CHECK(kind("\"RPCEPMap\"") == reply_only);
    CHECK(kind("\"80:90\"") == undecided);
    CHECK(kind("\"70000\"") == undecided);
    CHECK(kind("null") == undecided);
    CHECK(kind_of({rule("a", {{"LocalPort", "\"RPCEPMap\""}})}, packet(135)) == accept);
    CHECK(kind_of({rule("a", {{"RemotePort", "\"49731\""}})}, packet()) == accept);
    CHECK(kind_of({rule("a", {{"RemotePort", "\"49732\""}})}, packet()) == reply_only);
    CHECK(kind_of({rule("a", {{"RemotePort", "\"49731\""}})}, from_anybody(packet())) == depends);
    CHECK(kind_of({rule("a")}, tcp(packet())) == reply_only);
    CHECK(kind_of({rule("a", {{"Protocol", "\"17\""}})}, packet()) == accept);
    CHECK(kind_of({rule("a", {{"Protocol", "17"}})}, packet()) == accept);
    CHECK(kind_of({rule("a", {{"Protocol", "\"Any\""}, {"LocalPort", "\"Any\""}})}, packet()) ==
          accept);
    CHECK(kind_of({rule("a", {{"Protocol", "\"Quaint\""}})}, packet()) == undecided);
}

TEST_CASE("what is not known of a rule leaves the verdict open, where it matters") {
    const auto kind = [](const Members& members) {
        return kind_of({rule("a", members)}, packet());
    };
    CHECK(kind({{"Enabled", "2"}}) == reply_only);
    CHECK(kind({{"Enabled", "\"False\""}}) == reply_only);
    CHECK(kind({{"Enabled", "9"}}) == undecided);
    CHECK(kind({{"Direction", "2"}}) == reply_only);
    CHECK(kind({{"Direction", "\"Sideways\""}}) == undecided);
    CHECK(kind({{"Action", "8"}}) == undecided);
    CHECK(kind({{"Profile", "\"Neighbours\""}}) == undecided);
    CHECK(kind({{"Program", "5.5"}}) == undecided);
    CHECK(kind({{"Authentication", "\"Perhaps\""}}) == depends);
    CHECK(kind({{"LocalOnlyMapping", "true"}}) == undecided);
    CHECK(kind({{"RemoteDynamicKeywordAddresses", "[\"{1}\"]"}}) == undecided);
    CHECK(kind({{"PackageFamilyName", "\"Music_8wekyb3d8bbwe\""}}) == undecided);
    CHECK(kind({{"SomethingNew", "\"Any\""}}) == accept);
    CHECK(kind({{"SomethingNew", "\"only on Mondays\""}}) == undecided);
    CHECK(kind_of({rule("a"), rule("b", {{"LocalPort", "\"80:90\""}})}, packet()) == accept);
    CHECK(kind_of({rule("a"), block("b", {{"LocalPort", "\"80:90\""}})}, packet()) == undecided);
}

TEST_CASE("answers pass only where our own packets leave") {
    Machine machine;
    machine.settings = {{"DefaultOutboundAction", "4"}};
    const Verdict blocked = verdict_of(document({}, machine), packet());
    CHECK(blocked.kind == VerdictKind::drop);
    CHECK(blocked.passes == false);
    const std::string out = rule("out", {{"Direction", "2"}, {"LocalPort", "\"Any\""}});
    CHECK(kind_of({out}, packet(), machine) == reply_only);
    CHECK(kind_of({block("no", {{"Direction", "2"}, {"LocalPort", "\"Any\""}})}, packet()) ==
          VerdictKind::drop);
    const std::string only_chat = rule("out", {{"Direction", "2"}, {"Program", chat}});
    const Verdict verdict = verdict_of(document({only_chat}, machine), packet());
    CHECK(verdict.kind == depends);
    CHECK(verdict.passes == false);
}

TEST_CASE("what goes out") {
    Packet out = packet();
    out.direction = Direction::out;
    std::swap(*out.source, out.destination);
    out.source_port = 8000;
    out.destination_port = 3478;
    CHECK(kind_of({}, out) == accept);
    const Members to_stun = {
        {"Direction", "2"}, {"LocalPort", "\"Any\""}, {"RemotePort", "\"3478\""}};
    const Verdict verdict = verdict_of(document({block("no", to_stun)}), out);
    CHECK(verdict.kind == VerdictKind::drop);
    CHECK(says(verdict.why, "\"no\" blocks it"));
    CHECK(kind_of({block("in")}, out) == accept);
}
