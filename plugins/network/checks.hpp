// The checks, the verb and the change of this plugin, one function each; plugin.cpp makes the table
// of them.
#pragma once

#include <p2pdiag/plugin.hpp>

#include "net/flow.hpp"

namespace p2pdiag::network_plugin {

p2pdiag_status check_interfaces(Run& run);  // interfaces.cpp, docs/checks/network.interfaces.md
p2pdiag_status check_limits(Run& run);      // limits.cpp, docs/checks/network.limits.md
p2pdiag_status check_ports(Run& run);       // ports.cpp, docs/checks/network.ports.md
p2pdiag_status check_dns(Run& run);         // dns.cpp, docs/checks/network.dns.md
p2pdiag_status check_internet(Run& run);    // internet.cpp, docs/checks/network.internet.md
p2pdiag_status check_connect(Run& run);     // connect.cpp, docs/checks/network.connect.md
p2pdiag_status check_path(Run& run);        // path.cpp, docs/checks/network.path.md

// The change network.port (port_change.cpp, docs/user/port.md), and its verb.
p2pdiag_status plan_port(Run& run);
p2pdiag_status apply_port(Run& run);
p2pdiag_status verify_port(Run& run);
p2pdiag_status revert_port(Run& run);
int no_port_command(Run& run);

// A check whose sockets are told to the host, so that a recording can say whose packets are whose.
template <auto Check>
p2pdiag_status telling_flows(Run& run) {
    const net::FlowWatch flows = net::watch_flows(run);
    return Check(run);
}

}  // namespace p2pdiag::network_plugin
