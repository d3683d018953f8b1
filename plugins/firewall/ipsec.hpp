// Policies of IPsec, which follow the rules of the firewall and are none of them.
#pragma once

#include <string>

#include "state.hpp"

namespace p2pdiag::firewall {

// The policy that may protect or block the packet, in the words of `ip xfrm policy`; "": none. What
// becomes of the packet then is not followed.
std::string find_ipsec(const World& world, net::IpsecPolicy::Direction direction,
                       const Packet& packet, const State& state, const net::Interface* link);

}  // namespace p2pdiag::firewall
