// All routes of this machine and whether rules choose among them. Sends nothing, needs no
// privilege.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

enum class RouteType { unicast, local, broadcast, blackhole, unreachable, prohibit, other };

// One line of the tables main, default or local.
struct TableRoute {
    IpAddress destination;
    unsigned prefix = 0;  // bits
    RouteType type = RouteType::unicast;
    int interface = 0;         // index; 0 where it names none or several
    std::uint32_t metric = 0;  // the smallest wins
    bool of_local_table = false;
};

struct RoutingTables {
    std::vector<TableRoute> routes;
    // Other rules than those every machine has (local, main, default), or routes for single types
    // of service: where a packet goes depends on more than its destination.
    bool has_policy = false;
    // No rule comes before the table local: what is for this machine is decided there.
    bool local_first = true;
};

// The error is that of the kernel.
Result<RoutingTables> routing_tables();

}  // namespace p2pdiag::net
