// Whether neighbours find this machine, and it them: without that no packet is sent to it at all.
#pragma once

#include "ask.hpp"

namespace p2pdiag::firewall {

// Neighbour discovery of IPv6 (RFC 4861) passes the rules, and `asked` counts as stopped where that
// is. Of ARP it is only seen whether something may stand in its way.
void ask_for_neighbours(const World& world, Asked& asked);

}  // namespace p2pdiag::firewall
