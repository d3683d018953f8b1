// Whether an opening works, as far as the rules tell. Pure.
#pragma once

#include <p2pdiag/judgement.hpp>

#include "allow_step.hpp"
#include "evaluate.hpp"

namespace p2pdiag::firewall {

// PASS, FAIL, WARN where it hangs on something whether an answer gets back, or UNKNOWN where it
// cannot be told. FAIL also when something that the plan left out
// does not come in: it was asked for.
Judgement judge_opening(const World& world, const AllowStep& step);

// Of a verdict that lets in most: what some are still stopped by, as a sentence; or nothing.
std::string who_is_kept_out(const Verdict& verdict);

}  // namespace p2pdiag::firewall
