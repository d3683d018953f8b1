#include "net/udp_socket.hpp"

#include <netinet/in.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <vector>

#include "fake/sandbox.hpp"
#include "fake/stun_server.hpp"
#include "net/endpoint.hpp"
#include "net/routes.hpp"
#include "run_task.hpp"
#include "wire/stun/message.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

struct Received {
    std::vector<Bytes> datagrams;
    std::vector<Endpoint> from;
    std::vector<net::SendError> errors;
};

// Takes what comes until `enough` datagrams and errors together are there, or a minute is over.
boost::asio::awaitable<Received> take(net::UdpSocket* socket, std::size_t enough) {
    Received all;
    const net::UdpSocket::OnDatagram datagram = [&](const Endpoint& from, ByteView bytes) {
        all.datagrams.emplace_back(bytes.begin(), bytes.end());
        all.from.push_back(from);
    };
    const net::UdpSocket::OnError error = [&](const net::SendError& problem) {
        all.errors.push_back(problem);
    };
    const TimePoint end = Clock::now() + std::chrono::minutes(1);
    while (all.datagrams.size() + all.errors.size() < enough && Clock::now() < end) {
        if (co_await socket->wait(end)) socket->receive(datagram, error);
    }
    co_return all;
}

const IpAddress loopback = IpAddress::v4(0x7f000001);

}  // namespace

TEST_CASE("a datagram comes with its sender, an empty one too") {
    boost::asio::io_context context;
    auto one = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    auto other = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    CHECK(one.local().port != 0);
    const Endpoint here{loopback, other.local().port};
    CHECK_FALSE(one.send(as_bytes("hello"), here));
    CHECK_FALSE(one.send({}, here, 1));
    const Received got = run_on(context, take(&other, 2));
    REQUIRE(got.datagrams.size() == 2);
    CHECK(as_text(got.datagrams[0]) == "hello");
    CHECK(got.datagrams[1].empty());
    CHECK(got.from[0] == Endpoint{loopback, one.local().port});
    CHECK(got.from[1] == got.from[0]);
}

TEST_CASE("an ICMP error names the datagram's destination, and does not stop the next send") {
    boost::asio::io_context context;
    auto socket = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    const Endpoint closed = closed_port();
    const FakeStunServer server;
    CHECK_FALSE(socket.send(as_bytes("x"), closed));
    CHECK_FALSE(socket.send(stun::encode({}), server.primary()));
    const Received got = run_on(context, take(&socket, 2));
    REQUIRE(got.errors.size() == 1);
    CHECK(got.errors[0].destination == closed);
    CHECK(got.errors[0].error == boost::system::errc::connection_refused);
    CHECK(got.errors[0].reporter == loopback);
    CHECK(int(got.errors[0].icmp_type) == 3);  // destination unreachable
    CHECK(int(got.errors[0].icmp_code) == 3);  // port
    REQUIRE(got.datagrams.size() == 1);
    CHECK(got.from[0] == server.primary());
}

TEST_CASE("what cannot be sent says why") {
    boost::asio::io_context context;
    auto socket = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    CHECK(socket.send(Bytes(70000), {loopback, 9}) == boost::system::errc::message_size);
    // Broadcasts need a socket option. Nothing leaves the machine.
    CHECK(socket.send(as_bytes("x"), *Endpoint::parse("127.255.255.255:9")) ==
          boost::system::errc::permission_denied);
}

TEST_CASE("a port that is taken is an error, and the families are apart") {
    boost::asio::io_context context;
    auto first = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    const auto second =
        net::UdpSocket::open(context.get_executor(), Family::ipv4, first.local().port);
    REQUIRE(second.has_error());
    CHECK(second.error() == boost::system::errc::address_in_use);
    if (!has_ipv6_loopback()) return;
    const auto v6 = net::UdpSocket::open(context.get_executor(), Family::ipv6, first.local().port);
    CHECK(v6.has_value());
}

TEST_CASE("a socket on one link and address sends from there, and nowhere else") {
    boost::asio::io_context context;
    const int link = net::route_to(loopback).value().interface;
    const IpAddress second = IpAddress::v4(0x7f000003);
    auto socket = net::UdpSocket::open_on(context.get_executor(), second, link).value();
    auto other = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    CHECK(socket.local().address == second);
    CHECK_FALSE(socket.send(as_bytes("x"), {loopback, other.local().port}));
    const Received got = run_on(context, take(&other, 1));
    REQUIRE(got.from.size() == 1);
    CHECK(got.from[0] == socket.local());

    const auto no_link = net::UdpSocket::open_on(context.get_executor(), second, 0x7ffffff);
    CHECK(no_link.has_error());
    const auto foreign =
        net::UdpSocket::open_on(context.get_executor(), *IpAddress::parse("192.0.2.1"), 0);
    REQUIRE(foreign.has_error());
    CHECK(foreign.error() == boost::system::errc::address_not_available);
}

TEST_CASE("a link-local address needs its link, in every form of an endpoint") {
    const Endpoint router = *Endpoint::parse("[fe80::1]:5351");
    sockaddr_storage storage;
    net::to_sockaddr(router, storage, 7);
    CHECK(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_scope_id == 7);
    CHECK(net::to_udp(router, 7).address().to_v6().scope_id() == 7);
    CHECK(net::to_tcp(router, 7).address().to_v6().scope_id() == 7);
    CHECK(net::from_asio(net::to_udp(router, 7)) == router);
    const std::string text =
        in_sandbox({}, [&]() -> std::string {
            // Loopback takes a link-local address like any other link.
            if (std::system("ip -6 address add fe80::1/64 dev lo nodad") != 0) return "skipped";
            // The kernel makes the route to it a moment after the address.
            const char* routed =
                "for i in $(seq 200); do ip -6 route show table local | grep -q fe80::1 && exit 0; "
                "sleep 0.05; done; exit 1";
            if (std::system(routed) != 0) return "no route to it";
            boost::asio::io_context context;
            const IpAddress local = router.address;
            auto bound = net::UdpSocket::open_on(context.get_executor(), local, 1).value();
            if (net::UdpSocket::open_on(context.get_executor(), local, 0))
                return "no link, yet bound";
            if (bound.send(as_bytes("x"), {local, bound.local().port})) return "not sent";
            const Received got = run_on(context, take(&bound, 1));
            return got.from.size() == 1 && got.from[0] == bound.local() ? "arrived" : "lost";
        }).value_or("skipped");
    if (text == "skipped") WARN("no network namespace here");
    CAPTURE(text);
    CHECK((text == "arrived" || text == "skipped"));
}

TEST_CASE("waiting ends at its time") {
    boost::asio::io_context context;
    auto socket = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    CHECK_FALSE(run_on(context, socket.wait(Clock::now() + Milliseconds(5))));
    CHECK_FALSE(run_on(context, socket.wait(Clock::now() - Milliseconds(5))));
    const auto nothing = [](const auto&...) { FAIL("something came"); };
    CHECK_FALSE(socket.receive(nothing, nothing));
}
