// Which way the answer to a packet takes.
#pragma once

#include "ask.hpp"

namespace p2pdiag::firewall {

// Of a port that lets packets in: where routes, and rules of `ip rule`, do not take `answer`, which
// comes from a program here, back by the link that it came by, the verdict says so.
void ask_for_way_back(const World& world, const Packet& answer, bool marked, Asked& asked);

}  // namespace p2pdiag::firewall
