// The table of the plugin and nothing else.
#include "checks.hpp"

namespace p2pdiag::network_plugin {

namespace {

constexpr p2pdiag_check interfaces =
    check<check_interfaces>({.id = "network.interfaces",
                             .title = "Network links and routes of this machine",
                             .deadline = std::chrono::seconds(3)});

constexpr const p2pdiag_check* checks[] = {&interfaces};

}  // namespace

}  // namespace p2pdiag::network_plugin

P2PDIAG_PLUGIN(.id = "network", .version = "0.1.0",
               .summary = "Links, addresses and routes of this machine",
               .checks = p2pdiag::network_plugin::checks);
