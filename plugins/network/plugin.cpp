// The table of the plugin and nothing else.
#include "checks.hpp"

namespace p2pdiag::network_plugin {

namespace {

constexpr p2pdiag_check interfaces =
    check<check_interfaces>({.id = "network.interfaces",
                             .title = "Network links and routes of this machine",
                             .deadline = std::chrono::seconds(3)});

constexpr p2pdiag_check limits =
    check<check_limits>({.id = "network.limits",
                         .title = "Room for more connections on this machine",
                         .deadline = std::chrono::seconds(3)});

// It takes less than a tenth of a second; a machine with a hundred thousand processes, longer.
constexpr p2pdiag_check ports =
    check<check_ports>({.id = "network.ports",
                        .title = "The port of your program: free, taken, listening for whom",
                        .deadline = std::chrono::seconds(3),
                        .privileges = P2PDIAG_PRIVILEGE_ROOT});

constexpr const p2pdiag_check* checks[] = {&interfaces, &limits, &ports};

}  // namespace

}  // namespace p2pdiag::network_plugin

P2PDIAG_PLUGIN(.id = "network", .version = "0.1.0",
               .summary = "Links, routes, ports and limits of this machine",
               .checks = p2pdiag::network_plugin::checks);
