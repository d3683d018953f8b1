// Links, addresses, routes and address conversion: what the kernel tells without any packet.
#include <sys/resource.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <set>

#include "net/endpoint.hpp"
#include "net/interfaces.hpp"
#include "net/neighbours.hpp"
#include "net/netlink.hpp"
#include "net/routes.hpp"
#include "net/routing_tables.hpp"

using namespace p2pdiag;

TEST_CASE("the loopback link is there with its address") {
    const auto all = net::interfaces();
    REQUIRE(all.has_value());
    const auto lo =
        std::find_if(all->begin(), all->end(), [](const auto& one) { return one.name == "lo"; });
    REQUIRE(lo != all->end());
    CHECK(lo->kind == net::LinkKind::loopback);
    CHECK(lo->working());
    CHECK(lo->index > 0);
    CHECK(lo->mtu >= 1280);
    const auto found =
        std::find_if(lo->addresses.begin(), lo->addresses.end(),
                     [](const auto& one) { return one.address.to_string() == "127.0.0.1"; });
    REQUIRE(found != lo->addresses.end());
    CHECK(found->prefix == 8);
    CHECK(found->usable);
}

TEST_CASE("an address is this machine's or not") {
    CHECK(net::is_own_address(IpAddress::v4(0x7f000001)));
    // All of 127.0.0.0/8 leads here (RFC 1122 section 3.2.1.3), and no link has this one.
    CHECK_FALSE(net::is_own_address(IpAddress::v4(0x7f630201)));
    CHECK_FALSE(net::is_own_address(*IpAddress::parse("2001:db8::dead:beef")));
}

TEST_CASE("default routes name links that exist") {
    const auto routes = net::default_routes();
    REQUIRE(routes.has_value());
    std::set<int> links;
    for (const net::Interface& one : net::interfaces().value()) links.insert(one.index);
    for (const net::DefaultRoute& route : *routes) {
        CHECK((route.interface == 0 || links.count(route.interface) == 1));
        if (route.gateway) CHECK(route.gateway->family() == route.family);
    }
}

TEST_CASE("the way to loopback, and the source address for it") {
    const IpAddress target = IpAddress::v4(0x7f000001);
    const auto route = net::route_to(target);
    REQUIRE(route.has_value());
    CHECK(route->interface > 0);
    const auto source = net::source_address({target, 9});
    REQUIRE(source.has_value());
    CHECK(source->scope() == AddressScope::loopback);
}

TEST_CASE("the routing tables hold the way to loopback") {
    const auto tables = net::routing_tables();
    REQUIRE(tables.has_value());
    REQUIRE(tables->routes.has_value());
    const auto found = std::find_if(
        tables->routes->begin(), tables->routes->end(), [](const net::TableRoute& route) {
            return route.destination == IpAddress::v4(0x7f000001) && route.prefix == 32;
        });
    REQUIRE(found != tables->routes->end());
    CHECK(found->type == net::RouteType::local);
    CHECK(found->table == net::table_local);
    REQUIRE(tables->rules_v4.has_value());
    REQUIRE(!tables->rules_v4->empty());
    CHECK(tables->rules_v4->front().table == net::table_local);
    for (const net::Interface& one : net::interfaces().value()) {
        if (one.index == found->interface) CHECK(one.name == "lo");
    }
}

TEST_CASE("neighbours lie beyond links that exist") {
    const auto neighbours = net::neighbours();
    REQUIRE(neighbours.has_value());
    std::set<int> links;
    for (const net::Interface& one : net::interfaces().value()) links.insert(one.index);
    for (const net::Neighbour& one : *neighbours) CHECK(links.count(one.interface) == 1);
}

TEST_CASE("only the kernel's word on a route means that there is none") {
    const auto no_route = [](int number) {
        return net::is_no_route(ErrorCode(number, boost::system::system_category()));
    };
    for (const int number : {ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EAFNOSUPPORT}) {
        CHECK(no_route(number));
    }
    for (const int number : {EMFILE, ENFILE, EAGAIN, EPERM, ENOBUFS, EPROTO, EOPNOTSUPP}) {
        CHECK_FALSE(no_route(number));
    }
    CHECK_FALSE(net::is_no_route({}));
    // Each on this machine: a way, or none, but always an answer.
    CHECK(net::route_to_internet(Family::ipv4).has_value());
    CHECK(net::route_to_internet(Family::ipv6).has_value());
}

TEST_CASE("no descriptor left is no missing route") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 0;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const auto route = net::route_to_internet(Family::ipv4);
    const auto source = net::source_address({IpAddress::v4(0x7f000001), 9});
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(route.has_error());
    CHECK(route.error() == boost::system::errc::too_many_files_open);
    REQUIRE(source.has_error());
    CHECK_FALSE(net::is_no_route(source.error()));
}

TEST_CASE("endpoints survive the way to the socket API and back") {
    for (const char* text : {"192.0.2.1:1", "127.0.0.1:65535", "[2001:db8::1]:443", "[::1]:0"}) {
        const Endpoint endpoint = *Endpoint::parse(text);
        CHECK(net::from_asio(net::to_udp(endpoint)) == endpoint);
        CHECK(net::from_asio(net::to_tcp(endpoint)) == endpoint);
        sockaddr_storage storage;
        net::to_sockaddr(endpoint, storage);
        CHECK(net::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage)) == endpoint);
    }
    CHECK(net::from_asio(net::to_udp(*Endpoint::parse("[::ffff:192.0.2.1]:5"))).to_string() ==
          "192.0.2.1:5");
    sockaddr_storage unix_address{};
    unix_address.ss_family = AF_UNIX;
    CHECK_FALSE(net::from_sockaddr(reinterpret_cast<const sockaddr*>(&unix_address)));
    CHECK_FALSE(net::from_sockaddr(nullptr));
}

TEST_CASE("netlink attributes with lengths that lie are not read") {
    Bytes body(4);                                // a fixed header of four bytes
    const Bytes good = {8, 0, 5, 0, 1, 2, 3, 4};  // type 5, four bytes
    body.insert(body.end(), good.begin(), good.end());
    CHECK(net::netlink_attribute(body, 4, 5).size() == 4);
    CHECK(net::netlink_attribute(body, 4, 6).empty());
    body[4] = 9;  // one byte more than there is
    CHECK(net::netlink_attribute(body, 4, 5).empty());
    body[4] = 3;  // shorter than its own header
    CHECK(net::netlink_attribute(body, 4, 5).empty());
    CHECK(net::netlink_attribute(body, 40, 5).empty());
    CHECK_FALSE(net::netlink_address(Bytes(5)));
}
