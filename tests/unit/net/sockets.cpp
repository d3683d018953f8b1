// What made-up socket tables answer.
#include "net/sockets.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using net::Arrival;
using net::Exposure;
using net::Receives;
using net::Socket;
using net::SocketState;
using net::SocketTable;

namespace {

Socket udp(const char* address, std::uint16_t port = 8000) {
    Socket socket;
    socket.local = {*IpAddress::parse(address), port};
    socket.family = socket.local.address.family();
    socket.interface = 0;
    if (socket.family == Family::ipv6) socket.v6only = false;
    return socket;
}

Socket tcp(const char* address, SocketState state = SocketState::listening) {
    Socket socket = udp(address);
    socket.transport = Transport::tcp;
    socket.state = state;
    return socket;
}

SocketTable table(std::vector<Socket> sockets) { return {std::move(sockets), true}; }

Arrival to(const char* address, int interface = 0) {
    Arrival arrival;
    arrival.to = {*IpAddress::parse(address), 8000};
    arrival.interface = interface;
    return arrival;
}

Receives takes(const Socket& socket, const Arrival& arrival) {
    return net::receives(socket, arrival);
}

}  // namespace

TEST_CASE("a socket takes what is sent to its address, or to any") {
    CHECK(takes(udp("0.0.0.0"), to("192.168.1.7")) == Receives::yes);
    CHECK(takes(udp("192.168.1.7"), to("192.168.1.7")) == Receives::yes);
    CHECK(takes(udp("192.168.1.8"), to("192.168.1.7")) == Receives::no);
    CHECK(takes(udp("127.0.0.1"), to("192.168.1.7")) == Receives::no);
    CHECK(takes(udp("0.0.0.0", 8001), to("192.168.1.7")) == Receives::no);
    CHECK(takes(tcp("0.0.0.0"), to("192.168.1.7")) == Receives::no);
    // Anything of 0.0.0.0/8 but 0.0.0.0 is an address like others.
    CHECK(takes(udp("0.0.0.1"), to("192.168.1.7")) == Receives::no);
}

TEST_CASE("an IPv6 socket may serve IPv4 as well") {
    Socket both = udp("::");
    CHECK(takes(both, to("2001:db8::7")) == Receives::yes);
    CHECK(takes(both, to("192.168.1.7")) == Receives::yes);
    CHECK(takes(both, to("::ffff:192.168.1.7")) == Receives::yes);
    both.v6only = true;
    CHECK(takes(both, to("2001:db8::7")) == Receives::yes);
    CHECK(takes(both, to("192.168.1.7")) == Receives::no);
    both.v6only.reset();
    CHECK(takes(both, to("192.168.1.7")) == Receives::perhaps);
    CHECK(takes(udp("0.0.0.0"), to("2001:db8::7")) == Receives::no);
    // Bound to an IPv4 address in IPv6 clothes.
    CHECK(takes(udp("::ffff:192.168.1.7"), to("192.168.1.7")) == Receives::yes);
    CHECK(takes(udp("::ffff:0.0.0.0"), to("192.168.1.7")) == Receives::yes);
    CHECK(takes(udp("::ffff:0.0.0.0"), to("2001:db8::7")) == Receives::no);
}

TEST_CASE("a stranger's packet finds no socket that has a peer or does not listen") {
    Socket connected = udp("0.0.0.0");
    connected.state = SocketState::connected;
    CHECK(takes(connected, to("192.168.1.7")) == Receives::no);
    Arrival syn = to("192.168.1.7");
    syn.transport = Transport::tcp;
    CHECK(takes(tcp("0.0.0.0"), syn) == Receives::yes);
    CHECK(takes(tcp("0.0.0.0", SocketState::bound), syn) == Receives::no);
    CHECK(takes(tcp("0.0.0.0", SocketState::connected), syn) == Receives::no);
    CHECK(takes(tcp("0.0.0.0", SocketState::closing), syn) == Receives::no);
}

TEST_CASE("a socket that is bound to a link") {
    Socket bound = udp("0.0.0.0");
    bound.interface = 3;
    CHECK(takes(bound, to("192.168.1.7", 3)) == Receives::yes);
    CHECK(takes(bound, to("192.168.1.7", 2)) == Receives::no);
    CHECK(takes(bound, to("192.168.1.7")) == Receives::perhaps);
    bound.interface.reset();
    CHECK(takes(bound, to("192.168.1.7", 2)) == Receives::perhaps);
    Arrival in_vrf = to("192.168.1.7", 2);
    in_vrf.vrf = 9;
    bound.interface = 9;
    CHECK(takes(bound, in_vrf) == Receives::yes);
    CHECK(takes(udp("0.0.0.0"), in_vrf) == Receives::perhaps);
}

TEST_CASE("of several, the kernel's favourite receives") {
    Socket on_link = udp("0.0.0.0");
    on_link.interface = 3;
    const SocketTable all =
        table({udp("::"), udp("0.0.0.0"), udp("192.168.1.7"), on_link, udp("127.0.0.1")});
    auto got = net::reception(all, to("192.168.1.7", 2));
    CHECK(got.receives == Receives::yes);
    CHECK(got.sockets == std::vector{&all.sockets[2]});
    got = net::reception(all, to("192.168.1.9", 3));
    CHECK(got.sockets == std::vector{&all.sockets[3]});
    got = net::reception(all, to("192.168.1.9", 2));
    CHECK(got.sockets == std::vector{&all.sockets[1]});
    got = net::reception(all, to("2001:db8::7", 2));
    CHECK(got.sockets == std::vector{&all.sockets[0]});
    // By which link the packet came is not known, so either may be it.
    got = net::reception(all, to("192.168.1.9"));
    CHECK(got.receives == Receives::yes);
    CHECK(got.sockets == std::vector{&all.sockets[1], &all.sockets[3]});
    const SocketTable shared = table({udp("0.0.0.0"), udp("0.0.0.0")});
    CHECK(net::reception(shared, to("192.168.1.7")).sockets.size() == 2);
}

TEST_CASE("nobody receives, unless the table was cut") {
    SocketTable none = table({udp("127.0.0.1")});
    CHECK(net::reception(none, to("192.168.1.7")).receives == Receives::no);
    none.complete = false;
    CHECK(net::reception(none, to("192.168.1.7")).receives == Receives::perhaps);
    CHECK(net::reception(none, to("192.168.1.7")).sockets.empty());
}

TEST_CASE("how far a port can be reached") {
    const auto of = [](const SocketTable& sockets, Family family) {
        return net::exposure(sockets, Transport::udp, family, 8000);
    };
    CHECK(of(table({}), Family::ipv4) == Exposure::none);
    CHECK(of(table({tcp("0.0.0.0")}), Family::ipv4) == Exposure::none);
    CHECK(of(table({udp("0.0.0.0", 7)}), Family::ipv4) == Exposure::none);
    CHECK(of(table({udp("127.0.0.53"), udp("::1")}), Family::ipv4) == Exposure::loopback);
    CHECK(of(table({udp("127.0.0.53"), udp("::1")}), Family::ipv6) == Exposure::loopback);
    CHECK(of(table({udp("127.0.0.1"), udp("10.0.0.1")}), Family::ipv4) == Exposure::addresses);
    CHECK(of(table({udp("127.0.0.1"), udp("0.0.0.0")}), Family::ipv4) == Exposure::everywhere);
    CHECK(of(table({udp("0.0.0.0")}), Family::ipv6) == Exposure::none);
    CHECK(of(table({udp("::")}), Family::ipv4) == Exposure::everywhere);

    Socket single = udp("::");
    single.v6only = true;
    CHECK(of(table({single}), Family::ipv4) == Exposure::none);
    CHECK(of(table({single}), Family::ipv6) == Exposure::everywhere);
    single.v6only.reset();
    CHECK_FALSE(of(table({single}), Family::ipv4));
    CHECK(of(table({single}), Family::ipv6) == Exposure::everywhere);

    // One of IPv6 that takes IPv4 alone.
    CHECK(of(table({udp("::ffff:127.0.0.1")}), Family::ipv4) == Exposure::loopback);
    CHECK(of(table({udp("::ffff:127.0.0.1")}), Family::ipv6) == Exposure::none);
    CHECK(net::serves(udp("::ffff:10.0.0.1"), Family::ipv4) == Receives::yes);
    CHECK(net::serves(udp("::ffff:10.0.0.1"), Family::ipv6) == Receives::no);
    CHECK(net::serves(udp("10.0.0.1"), Family::ipv6) == Receives::no);
    CHECK(net::serves(udp("::"), Family::ipv4) == Receives::yes);

    Socket on_link = udp("0.0.0.0");
    on_link.interface = 3;
    CHECK(of(table({on_link}), Family::ipv4) == Exposure::addresses);
    on_link.interface = 1;
    CHECK(of(table({on_link}), Family::ipv4) == Exposure::loopback);
    on_link.interface.reset();
    CHECK_FALSE(of(table({on_link}), Family::ipv4));

    SocketTable cut = table({udp("127.0.0.1")});
    cut.complete = false;
    CHECK_FALSE(of(cut, Family::ipv4));
    cut.sockets.push_back(udp("0.0.0.0"));
    CHECK(of(cut, Family::ipv4) == Exposure::everywhere);
}

TEST_CASE("who has a port, in whatever state") {
    const SocketTable all = table({tcp("0.0.0.0"), tcp("10.0.0.1", SocketState::connected),
                                   tcp("10.0.0.1", SocketState::closing), udp("0.0.0.0")});
    CHECK(net::sockets_at(all, Transport::tcp, 8000).size() == 3);
    CHECK(net::sockets_at(all, Transport::udp, 8000).size() == 1);
    CHECK(net::sockets_at(all, Transport::udp, 8001).empty());
}
