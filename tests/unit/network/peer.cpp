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
    CHECK(advise(ip("192.168.1.255"), own) == Advice::no_host);
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

TEST_CASE("what answers at an address of one's own is rarely the peer") {
    for (const Advice advice : {Advice::own_address, Advice::own_public}) {
        PeerAddress own = peer(TcpOutcome::connected, UdpOutcome::silent);
        own.advice = advice;
        const Judgement judgement = judge(report(own));
        CHECK(judgement.status == P2PDIAG_PASS);
        REQUIRE(codes(judgement) == Codes{"net.peer-address"});
        CHECK(judgement.findings[0].severity == Severity::info);
        CHECK(judgement.findings[0].evidence.at("reason").as_string() == to_string(advice));
    }
}

TEST_CASE("a connection that is torn down is none") {
    PeerAddress torn = peer(TcpOutcome::connected, UdpOutcome::silent);
    torn.tcp->talk = net::TcpTalk::reset;
    CHECK(judge(report(torn)).status == P2PDIAG_UNKNOWN);
    CHECK(codes(judge(report(torn))).empty());
    CHECK(judge(report(torn)).summary.find("and was reset") != std::string::npos);
    // Nor does a closed UDP port make it a failure: TCP is there.
    torn.udp = UdpOutcome::refused;
    CHECK(judge(report(torn)).status == P2PDIAG_UNKNOWN);
    torn.udp = UdpOutcome::answered;
    CHECK(judge(report(torn)).status == P2PDIAG_PASS);
    // Closed in order, and silent, is what a program does that has nothing to say.
    torn = peer(TcpOutcome::connected, UdpOutcome::silent);
    torn.tcp->talk = net::TcpTalk::closed;
    CHECK(judge(report(torn)).status == P2PDIAG_PASS);
}

TEST_CASE("of several addresses the one that tells most is judged, and all are named") {
    PeerAddress v4 = peer(TcpOutcome::no_route, UdpOutcome::no_route);
    PeerAddress v6 = peer(TcpOutcome::no_answer, UdpOutcome::silent, 4);
    v6.peer = *Endpoint::parse("[2001:db8::7]:8000");
    PeerReport both = report(v4);
    both.addresses.push_back(v6);
    // No IPv4 here does not make the peer unreachable.
    CHECK(judge(both).status == P2PDIAG_UNKNOWN);
    REQUIRE(codes(judge(both)) == Codes{"net.peer-silent"});
    CHECK(judge(both).findings[0].evidence.at("peer") == "[2001:db8::7]:8000");
    CHECK(judge(both).summary.find("no route to 203.0.113.7:8000") != std::string::npos);

    // Closed at one address, silent at the other: the program may be there.
    both.addresses[0] = peer(TcpOutcome::no_answer, UdpOutcome::silent);
    both.addresses[1].tcp->outcome = TcpOutcome::refused;
    both.addresses[1].udp = UdpOutcome::refused;
    CHECK(judge(both).status == P2PDIAG_UNKNOWN);
    REQUIRE(codes(judge(both)) == Codes{"net.peer-refused"});
    CHECK(judge(both).findings[0].severity == Severity::warning);
    CHECK(judge(both).summary.find("203.0.113.7:8000: nothing came back") != std::string::npos);

    // Closed at the only one that there is a way to.
    both.addresses[0] = v4;
    CHECK(judge(both).status == P2PDIAG_FAIL);
    REQUIRE(codes(judge(both)) == Codes{"net.peer-refused"});
    CHECK(judge(both).findings[0].severity == Severity::error);
}

TEST_CASE("what this machine's own firewall forbids is not laid to the peer") {
    const Judgement own = judge(report(peer(TcpOutcome::no_answer, UdpOutcome::not_permitted)));
    CHECK(own.status == P2PDIAG_FAIL);
    REQUIRE(codes(own) == Codes{"net.send-forbidden"});
    CHECK(own.findings[0].severity == Severity::error);
}

TEST_CASE("who lacks rights is told what they would show") {
    PeerAddress denied = peer(TcpOutcome::connected, UdpOutcome::silent);
    CHECK(judge(report(denied)).summary.find("sudo") == std::string::npos);
    denied.ping_why_not = "not-permitted";
    CHECK(judge(report(denied))
              .summary.find(
                  "Pings are not for this user to see: sudo p2pdiag run network.connect --peer "
                  "203.0.113.7:8000") != std::string::npos);
    PeerReport blind = report(peer(TcpOutcome::refused, UdpOutcome::silent));
    CHECK(judge(blind).summary.find("Who refuses TCP is not for this user") != std::string::npos);
    blind.sees_icmp = true;
    CHECK(judge(blind).summary.find("sudo") == std::string::npos);
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
    CHECK(judge(report(rejected)).summary.find("the host is there") == std::string::npos);
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
