// What else has to pass for a first packet that comes in to be of any use: the answer to it, what
// its sender sends from then on, and the discovery of neighbours that goes before them all.
#pragma once

#include "ask.hpp"

namespace p2pdiag::firewall {

// Where the first packet comes in and the rest does not, `asked` counts as stopped by what stops
// that; where that cannot be told, neither can this.
void ask_for_exchange(const World& world, Asked& asked);

}  // namespace p2pdiag::firewall
