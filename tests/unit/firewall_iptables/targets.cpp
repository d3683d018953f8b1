// What a rule of iptables does.
#include <catch2/catch.hpp>

#include "saved.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

constexpr VerdictKind yes = VerdictKind::accept;
constexpr VerdictKind no = VerdictKind::drop;

Verdict filtered(const std::string& lines, const Packet& asked = packet(),
                 const std::string& policy = "DROP") {
    return evaluate(with(saved(filter_table(lines, policy), asked.family())), asked);
}

// The mark that the rules of mangle leave, tested in filter.
bool leaves_mark(const std::string& rules, const std::string& mark) {
    const World world = with(saved("*mangle\n:PREROUTING ACCEPT [0:0]\n" + rules + "\nCOMMIT\n" +
                                   filter_table("-A INPUT -m mark --mark " + mark + " -j ACCEPT")));
    return evaluate(world, packet()).kind == yes;
}

Verdict translated(const std::string& rule, const std::string& filter = "-A INPUT -j ACCEPT",
                   const Packet& asked = packet()) {
    World world = with(saved("*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING " + rule +
                                 "\nCOMMIT\n" + filter_table(filter),
                             asked.family()));
    world.sysctls.ipv4_forwarding = true;
    return evaluate(world, asked);
}

}  // namespace

TEST_CASE("accept, drop, and the policy") {
    CHECK(filtered("-A INPUT -j ACCEPT").kind == yes);
    CHECK(filtered("-A INPUT -j DROP", packet(), "ACCEPT").kind == no);
    CHECK(filtered("", packet(), "ACCEPT").kind == yes);
    CHECK(filtered("").kind == no);
    CHECK(filtered("").deciding_rule->text == "policy drop");
    CHECK(filtered("-A INPUT -p udp").kind == no);
    CHECK(filtered("-A INPUT -j NFQUEUE --queue-num 1").kind != yes);
    CHECK(filtered("-A INPUT -j NFQUEUE --queue-num 1").kind != no);
}

TEST_CASE("the deciding rule is named as iptables prints it, with its number") {
    const Verdict verdict = filtered(
        "-A INPUT -p tcp -j DROP\n-A INPUT -p udp -m udp --dport 4000 -m comment --comment \"the "
        "game\" -j ACCEPT");
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->table == "ip filter");
    CHECK(verdict.deciding_rule->chain == "INPUT");
    CHECK(verdict.deciding_rule->handle == 2);
    CHECK(verdict.deciding_rule->comment == "the game");
    CHECK(verdict.deciding_rule->text ==
          "-A INPUT -p udp -m udp --dport 4000 -m comment --comment \"the game\" -j ACCEPT");
    CHECK(verdict.deciding_rule->owner == "iptables-legacy");
}

TEST_CASE("jump, goto and return") {
    const std::string chains = ":a - [0:0]\n:b - [0:0]\n";
    CHECK(
        filtered(chains + "-A INPUT -j a\n-A INPUT -j ACCEPT\n-A a -j RETURN\n-A a -j DROP").kind ==
        yes);
    CHECK(filtered(chains + "-A INPUT -g a\n-A INPUT -j ACCEPT\n-A a -j RETURN").kind == no);
    CHECK(
        filtered(chains + "-A INPUT -j a\n-A INPUT -j ACCEPT\n-A a -g b\n-A a -j DROP\n-A b -p tcp")
            .kind == yes);
    CHECK(filtered(chains + "-A INPUT -j RETURN\n-A INPUT -j ACCEPT").kind == no);
    // There is no such chain: this is no ruleset that iptables would print.
    CHECK(filtered("-A INPUT -j elsewhere\n-A INPUT -j ACCEPT").kind == VerdictKind::undecided);
}

TEST_CASE("reject says with what") {
    const auto kind = [](const std::string& with, const Packet& asked) {
        const Verdict verdict = filtered("-A INPUT -j REJECT" + with, asked, "ACCEPT");
        CHECK(verdict.kind == VerdictKind::reject);
        return verdict.reject_kind;
    };
    CHECK(kind("", packet()) == "icmp port-unreachable");
    CHECK(kind(" --reject-with icmp-host-prohibited", packet()) == "icmp host-prohibited");
    CHECK(kind(" --reject-with icmp-admin-prohibited", packet()) == "icmp admin-prohibited");
    CHECK(kind(" --reject-with icmp6-adm-prohibited", packet(4000, Family::ipv6)) ==
          "icmp admin-prohibited");
    CHECK(kind(" --reject-with tcp-reset", tcp(packet())) == "tcp reset");
    CHECK(filtered("-A INPUT -j REJECT --reject-with kindness").kind == VerdictKind::undecided);
}

TEST_CASE("marks are computed") {
    CHECK(leaves_mark("-A PREROUTING -j MARK --set-xmark 0x7/0xffffffff", "0x7"));
    CHECK(leaves_mark("-A PREROUTING -j MARK --set-mark 7", "0x7"));
    CHECK(leaves_mark(
        "-A PREROUTING -j MARK --set-mark 0x30\n-A PREROUTING -j MARK --set-xmark 0x1/0xf",
        "0x31"));
    CHECK(leaves_mark(
        "-A PREROUTING -j MARK --set-mark 0x33\n-A PREROUTING -j MARK --set-xmark 0x1/0x0",
        "0x32"));
    CHECK(leaves_mark(
        "-A PREROUTING -j MARK --set-mark 0x33\n-A PREROUTING -j MARK --set-mark 0x4/0x1", "0x36"));
    CHECK(leaves_mark("-A PREROUTING -j MARK --or-mark 5\n-A PREROUTING -j MARK --and-mark 4",
                      "0x4"));
    CHECK(leaves_mark("-A PREROUTING -j MARK --xor-mark 5\n-A PREROUTING -j MARK --xor-mark 1",
                      "0x4"));
    CHECK(leaves_mark(
        "-A PREROUTING -j CONNMARK --set-xmark 0x9/0xffffffff\n"
        "-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
        "0x9"));
    CHECK(
        leaves_mark("-A PREROUTING -j MARK --set-mark 0x5f\n"
                    "-A PREROUTING -j CONNMARK --save-mark --nfmask 0xf --ctmask 0xf\n"
                    "-A PREROUTING -j MARK --set-mark 0xff0\n"
                    "-A PREROUTING -j CONNMARK --restore-mark --mask 0xf",
                    "0xfff"));
    CHECK_FALSE(leaves_mark("-A PREROUTING -j MARK --set-mark 7", "0x8"));
    CHECK_FALSE(leaves_mark("-A PREROUTING -j MARK --left-shift-mark 2", "0x0"));
}

TEST_CASE("a packet without a connection keeps its mark") {
    const World world =
        with(saved("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j CT --notrack\nCOMMIT\n"
                   "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MARK --set-mark 7\n"
                   "-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask "
                   "0xffffffff\nCOMMIT\n" +
                   filter_table("-A INPUT -m mark --mark 7 -j ACCEPT")));
    CHECK(evaluate(world, packet()).kind == yes);
}

TEST_CASE("translation") {
    CHECK(translated("-p udp -j REDIRECT --to-ports 5000", "-A INPUT -p udp --dport 5000 -j ACCEPT")
              .kind == yes);
    CHECK(translated("-p udp -j REDIRECT --to-ports 5000", "-A INPUT -p udp --dport 4000 -j ACCEPT")
              .kind == no);
    const Verdict here = translated("-p udp -j DNAT --to-destination 10.8.0.2:5000");
    REQUIRE(here.delivery);
    CHECK(here.delivery->local);
    CHECK(here.delivery->port == 5000);
    CHECK(here.delivery->destination == ip("10.8.0.2"));
    const Verdict other = translated("-p udp -j DNAT --to-destination :5000");
    REQUIRE(other.delivery);
    CHECK(other.delivery->destination == ip("10.9.0.2"));
    const Verdict away = translated("-p udp -j DNAT --to-destination 10.8.0.77");
    REQUIRE(away.delivery);
    CHECK_FALSE(away.delivery->local);
    CHECK(away.delivery->port == 4000);
    const Verdict six = translated("-p udp -j DNAT --to-destination [fd09::2]:5000",
                                   "-A INPUT -j ACCEPT", packet(4000, Family::ipv6));
    REQUIRE(six.delivery);
    CHECK(six.delivery->port == 5000);
    // One of several ports, and which is not known.
    CHECK(translated("-p udp -j DNAT --to-destination :5000-5009 --random",
                     "-A INPUT -p udp --dport 4900:5100 -j ACCEPT")
              .kind != no);
    CHECK(translated("-p udp -j REDIRECT --to-ports 5000-5009",
                     "-A INPUT -p udp --dport 5000 -j ACCEPT")
              .passes == std::nullopt);
    for (const char* rule :
         {"-p udp -j DNAT", "-p udp -j DNAT --to-destination 10.8.0.999",
          "-j NETMAP --to 10.8.0.0/24", "-p udp -j DNAT --to-destination 10.8.0.2:99999",
          "-p udp -j DNAT --to-destination fd09::2"}) {
        INFO(rule);
        CHECK(translated(rule).kind == VerdictKind::undecided);
    }
}

TEST_CASE("targets that change nothing, and those that may do anything") {
    for (const char* target :
         {"LOG --log-prefix \"-j ACCEPT \"", "NFLOG", "TCPMSS --clamp-mss-to-pmtu",
          "CLASSIFY --set-class 1:1", "CHECKSUM --checksum-fill", "CT --helper ftp", "TRACE"}) {
        INFO(target);
        CHECK(filtered(std::string("-A INPUT -j ") + target).kind == no);
    }
    for (const char* target : {"TPROXY --on-port 1", "CT --zone 5", "SYNPROXY", "", "-p"}) {
        INFO(target);
        CHECK(filtered(std::string("-A INPUT -j ") + target).passes == std::nullopt);
    }
}

TEST_CASE("tables hang at their fixed priorities") {
    const auto accepts_in = [](const std::string& table, const std::string& chain) {
        const World world = with(saved("*" + table + "\n:" + chain + " ACCEPT [0:0]\n-A " + chain +
                                       " -j DROP\nCOMMIT\n" +
                                       filter_table("-A INPUT -m conntrack --ctstate INVALID -j DROP\n"
                                                    "-A INPUT -j ACCEPT")));
        return evaluate(world, packet()).kind;
    };
    CHECK(accepts_in("raw", "PREROUTING") == no);
    CHECK(accepts_in("mangle", "PREROUTING") == no);
    CHECK(accepts_in("mangle", "INPUT") == no);
    CHECK(accepts_in("nat", "PREROUTING") == no);
    CHECK(accepts_in("security", "INPUT") == no);
    CHECK(accepts_in("mangle", "FORWARD") == yes);
    CHECK(accepts_in("raw", "OUTPUT") == yes);

    const Ruleset all = saved(
        "*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n*mangle\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
        "*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n*security\n:INPUT ACCEPT [0:0]\nCOMMIT\n");
    REQUIRE(all.chains.size() == 4);
    CHECK(all.chains[0].priority == -300);
    CHECK(all.chains[1].priority == -150);
    CHECK(all.chains[1].type == ChainType::route);
    CHECK(all.chains[2].priority == 100);
    CHECK(all.chains[2].type == ChainType::nat);
    CHECK(all.chains[3].priority == 50);
}
