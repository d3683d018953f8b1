// What --persistent adds to a plan.
#pragma once

#include "allow_plan.hpp"
#include "allow_tools.hpp"

namespace p2pdiag::firewall {

// To steps that were prepared: steps that make them last beyond a reboot. Where that cannot be done
// the plan fails with what to write where by hand.
void add_persistence(AllowPlan& plan, const Sight& sight);

}  // namespace p2pdiag::firewall
