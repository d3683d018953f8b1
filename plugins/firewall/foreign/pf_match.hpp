// Whether a rule of pf's is about a packet.
#pragma once

#include "foreign/pf.hpp"

namespace p2pdiag::firewall::pf {

// `path`: of the anchor that the rule stands in; its tables go before those of the main list.
foreign::Match match(const Rule& rule, const Packet& packet, const Ruleset& ruleset,
                     const std::string& path, Reasons& reasons);

}  // namespace p2pdiag::firewall::pf
