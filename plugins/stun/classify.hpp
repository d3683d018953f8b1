// The parts of the verdict that are neither mapping, filtering nor ports.
#pragma once

#include "verdict.hpp"

namespace p2pdiag::nat {

// Whether something between here and the servers rewrites the source.
Field<bool> judge_behind_nat(const Observations& seen);

// Reason::pending while an answer may still come.
Field<bool> judge_hairpinning(const Observations& seen);

}  // namespace p2pdiag::nat
