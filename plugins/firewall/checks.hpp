// The checks of this plugin, one function each; plugin.cpp makes the table of them.
#pragma once

#include <p2pdiag/plugin.hpp>

namespace p2pdiag::firewall {

p2pdiag_status check_inbound(Run& run);   // inbound_check.cpp, docs/checks/firewall.inbound.md
p2pdiag_status check_outbound(Run& run);  // outbound_check.cpp, docs/checks/firewall.outbound.md
p2pdiag_status check_punching(Run& run);  // outbound_check.cpp, docs/checks/firewall.punching.md

int check_command(Run& run);  // check_verb.cpp, docs/user/firewall.md
// The change firewall.allow, allow_change.cpp.
p2pdiag_status plan_allow(Run& run);
p2pdiag_status apply_allow(Run& run);
p2pdiag_status verify_allow(Run& run);
p2pdiag_status revert_allow(Run& run);

}  // namespace p2pdiag::firewall
