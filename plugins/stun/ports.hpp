// How the NAT chooses public ports.
#pragma once

#include "verdict.hpp"

namespace p2pdiag::nat {

// Whether mappings keep the local port, over every socket that has one.
Field<bool> judge_preservation(const Observations& seen);

// The step from one new mapping's port to the next, from the role port_step. Reason::pending while
// more answers may come.
Field<int> judge_step(const Observations& seen);

// The step of ports that were allocated in this order; a missing one is nullopt. Needs four
// neighbours, two thirds of them apart by the same small distance: a stray allocation, a
// wrap-around or a lost packet does no harm.
Field<int> constant_step(const std::vector<std::optional<std::uint16_t>>& ports);

}  // namespace p2pdiag::nat
