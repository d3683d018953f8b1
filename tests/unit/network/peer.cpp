// What a made-up peer does, and what its address is worth.
#include "peer.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using namespace p2pdiag::network_plugin;
using icmp::Meaning;
using net::TcpOutcome;
using namespace std::chrono_literals;

namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// 192.168.1.7/24 at home, seen as 198.51.100.4.
OwnAddresses home() {
    net::Interface link;
    link.name = "eth0";
    link.addresses = {{ip("192.168.1.7"), 24, true}, {ip("2001:db8:1::7"), 64, true}};
    return {{link}, {ip("198.51.100.4")}, std::nullopt};
}

PeerAddress peer(std::optional<TcpOutcome> tcp, UdpOutcome udp, unsigned pings = 0) {
    PeerAddress made;
    made.peer = *Endpoint::parse("203.0.113.7:8000");
    made.pings = {4, std::vector<std::chrono::microseconds>(pings, 20ms)};
    made.udp = udp;
    if (tcp) {
        made.tcp = net::TcpResult{};
        made.tcp->outcome = *tcp;
        if (*tcp == TcpOutcome::connected) made.tcp->took = 20ms;
    }
    return made;
}

PeerReport report(PeerAddress address) {
    PeerReport made;
    made.text = "203.0.113.7:8000";
    made.parsed = HostPort{"203.0.113.7", 8000};
    made.own = home();
    made.addresses = {std::move(address)};
    return made;
}

using Codes = std::vector<std::string>;

Codes codes(const Judgement& judgement) {
    Codes all;
    for (const Finding& finding : judgement.findings) all.push_back(finding.code);
    return all;
}

}  // namespace

TEST_CASE("what an address is worth from here") {
    const OwnAddresses own = home();
    CHECK(advise(ip("127.0.0.1"), own) == Advice::loopback);
    CHECK(advise(ip("::1"), own) == Advice::loopback);
    CHECK(advise(ip("192.168.1.7"), own) == Advice::own_address);
    CHECK(advise(ip("198.51.100.4"), own) == Advice::own_public);
    CHECK(advise(ip("192.168.1.200"), own) == Advice::none);
    CHECK(advise(ip("192.168.2.1"), own) == Advice::private_elsewhere);
    CHECK(advise(ip("10.0.0.1"), own) == Advice::private_elsewhere);
    CHECK(advise(ip("fd00::1"), own) == Advice::private_elsewhere);
    CHECK(advise(ip("100.64.3.4"), own) == Advice::carrier_elsewhere);
    CHECK(advise(ip("fe80::1"), own) == Advice::link_local);
    CHECK(advise(ip("0.0.0.0"), own) == Advice::no_host);
    CHECK(advise(ip("239.255.255.250"), own) == Advice::no_host);
    CHECK(advise(ip("203.0.113.7"), own) == Advice::none);
    CHECK(advise(ip("2001:db8:1::99"), own) == Advice::none);
    CHECK(words_of(Advice::none, ip("203.0.113.7"), own).empty());
    OwnAddresses deaf = own;
    deaf.hairpin = false;
    CHECK(words_of(Advice::own_public, ip("198.51.100.4"), deaf).find("not lead back") !=
          std::string::npos);
}

TEST_CASE("a peer that answers") {
    CHECK(judge(report(peer(TcpOutcome::connected, UdpOutcome::silent))).status == P2PDIAG_PASS);
    const Judgement udp = judge(report(peer(TcpOutcome::refused, UdpOutcome::answered)));
    CHECK(udp.status == P2PDIAG_PASS);
    CHECK(udp.findings.empty());
    // A private address with a route to it is right all the same.
    PeerAddress routed = peer(TcpOutcome::connected, UdpOutcome::silent);
    routed.advice = Advice::private_elsewhere;
    CHECK(judge(report(routed)).findings.empty());
    routed.advice = Advice::loopback;
    REQUIRE(codes(judge(report(routed))) == Codes{"net.peer-address"});
    CHECK(judge(report(routed)).findings[0].severity == Severity::info);
}

TEST_CASE("UDP silence is never called closed") {
    const Judgement silent = judge(report(peer(TcpOutcome::no_answer, UdpOutcome::silent)));
    CHECK(silent.status == P2PDIAG_UNKNOWN);
    CHECK(codes(silent) == Codes{"net.peer-silent"});
    const Judgement refused = judge(report(peer(TcpOutcome::refused, UdpOutcome::silent, 4)));
    CHECK(refused.status == P2PDIAG_UNKNOWN);
    REQUIRE(codes(refused) == Codes{"net.peer-refused"});
    CHECK(refused.findings[0].severity == Severity::warning);
    const Judgement closed = judge(report(peer(TcpOutcome::refused, UdpOutcome::refused)));
    CHECK(closed.status == P2PDIAG_FAIL);
    CHECK(codes(closed) == Codes{"net.peer-refused"});
}

TEST_CASE("who forbids it, who cannot deliver") {
    PeerAddress filtered = peer(TcpOutcome::unreachable, UdpOutcome::silent);
    filtered.tcp_said = Said{ip("203.0.113.1"), Meaning::prohibited};
    const Judgement judgement = judge(report(filtered));
    CHECK(judgement.status == P2PDIAG_FAIL);
    REQUIRE(codes(judgement) == Codes{"net.peer-filtered"});
    CHECK(judgement.findings[0].evidence.at("hop") == "203.0.113.1");

    PeerAddress lost = peer(TcpOutcome::no_answer, UdpOutcome::unreachable);
    lost.udp_said = Said{ip("203.0.113.1"), Meaning::host_unreachable};
    REQUIRE(codes(judge(report(lost))) == Codes{"net.peer-unreachable"});
    // The kernel's own word for a neighbour that does not answer.
    lost.udp_said = Said{ip("192.168.1.7"), Meaning::host_unreachable};
    CHECK(judge(report(lost)).summary.find("No machine in this network") != std::string::npos);

    CHECK(codes(judge(report(peer(TcpOutcome::no_route, UdpOutcome::no_route)))) ==
          Codes{"net.peer-unreachable"});

    PeerAddress rejected = peer(TcpOutcome::refused, UdpOutcome::refused);
    rejected.tcp_said = Said{ip("203.0.113.1"), Meaning::port_unreachable};
    CHECK(judge(report(rejected)).summary.find("Not the host but 203.0.113.1") !=
          std::string::npos);
}

TEST_CASE("a wrong address is said beside the silence") {
    PeerAddress elsewhere = peer(TcpOutcome::no_answer, UdpOutcome::silent);
    elsewhere.advice = Advice::private_elsewhere;
    CHECK(codes(judge(report(elsewhere))) == Codes{"net.peer-silent", "net.peer-address"});
    PeerAddress no_host = peer(std::nullopt, UdpOutcome::unfinished);
    no_host.advice = Advice::no_host;
    CHECK(judge(report(no_host)).status == P2PDIAG_FAIL);
    CHECK(codes(judge(report(no_host))) == Codes{"net.peer-address"});
}

TEST_CASE("no address at all") {
    PeerReport none = report(peer(std::nullopt, UdpOutcome::unfinished));
    none.addresses.clear();
    CHECK(judge(none).status == P2PDIAG_UNKNOWN);
    none.lookup_error = "the name does not exist";
    CHECK(judge(none).status == P2PDIAG_FAIL);
    CHECK(codes(judge(none)) == Codes{"net.dns-failed"});
    none.parsed.reset();
    CHECK(judge(none).status == P2PDIAG_UNKNOWN);
}
