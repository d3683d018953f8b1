// The checks of this plugin, one function each; plugin.cpp makes the table of them.
#pragma once

#include <p2pdiag/plugin.hpp>

namespace p2pdiag::stun_plugin {

p2pdiag_status check_servers(Run& run);   // servers.cpp, docs/checks/stun.servers.md
p2pdiag_status check_nat(Run& run);       // nat.cpp, docs/checks/stun.nat.md
p2pdiag_status check_lifetime(Run& run);  // lifetime.cpp, docs/checks/stun.lifetime.md

}  // namespace p2pdiag::stun_plugin
