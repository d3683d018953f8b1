// Where packets leave this machine, as its routing tables say. Sends nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

struct DefaultRoute {
    Family family = Family::ipv4;
    std::optional<IpAddress> gateway;  // none on a point-to-point link
    int interface = 0;                 // index; 0 where the route names several next hops
    std::uint32_t metric = 0;          // the smallest wins
};

// Of the main table, in the kernel's order; routes that refuse (unreachable, blackhole) are left
// out.
Result<std::vector<DefaultRoute>> default_routes();

// The kernel's own word that no packet goes there. Any other error (no descriptor left, a sandbox,
// a time-out) leaves open whether there is a route.
bool is_no_route(const ErrorCode& error);

struct Route {
    int interface = 0;                // index
    std::optional<IpAddress> source;  // that a socket without address would get
    std::optional<IpAddress> gateway;
};

// What the kernel would do with a packet to `destination`, policy routing of VPN programs included.
// Where there is no route, is_no_route() holds for the error.
Result<Route> route_to(const IpAddress& destination);

// The way to an address on the public internet that belongs to nobody's own network: what takes
// the place of "the" default route where a VPN splits it in two or uses rules. Nothing where there
// is none; an error where the kernel did not tell.
Result<std::optional<Route>> route_to_internet(Family family);

// The local address of a UDP socket that is connected to `destination`. Where there is no route,
// is_no_route() holds for the error.
Result<IpAddress> source_address(const Endpoint& destination);

}  // namespace p2pdiag::net
