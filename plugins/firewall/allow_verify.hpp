// Whether an opening works, as far as the rules tell. Pure.
#pragma once

#include "allow_step.hpp"
#include "judgement.hpp"

namespace p2pdiag::firewall {

// PASS, FAIL, or UNKNOWN where it cannot be told.
Judgement judge_opening(const World& world, const AllowStep& step);

// Whom to ask about: whoever, or the first and the last of a network who is neither this machine
// nor everybody there.
std::vector<std::optional<IpAddress>> senders(const World& world,
                                              const std::optional<SourceNet>& source);

}  // namespace p2pdiag::firewall
