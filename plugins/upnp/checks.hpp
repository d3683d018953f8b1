// The checks, the verb and the change of this plugin, one function each; plugin.cpp makes the table
// of them.
#pragma once

#include <p2pdiag/plugin.hpp>

namespace p2pdiag::upnp_plugin {

p2pdiag_status check_gateways(Run& run);  // gateways.cpp, docs/checks/upnp.gateways.md
p2pdiag_status check_mapping(Run& run);   // mapping_check.cpp, docs/checks/upnp.mapping.md
p2pdiag_status check_target(Run& run);    // target_check.cpp, docs/checks/upnp.target.md

int list_forwards(Run& run);  // forward_list.cpp, the verb `forward`

// The change upnp.forward.
p2pdiag_status plan_forward(Run& run);
p2pdiag_status apply_forward(Run& run);
p2pdiag_status verify_forward(Run& run);
p2pdiag_status revert_forward(Run& run);
p2pdiag_status keep_forward(Run& run);

}  // namespace p2pdiag::upnp_plugin
