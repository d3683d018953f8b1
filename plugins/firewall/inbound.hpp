// firewall.inbound, without the machine: what the verdicts mean.
#pragma once

#include <p2pdiag/judgement.hpp>

#include "ask.hpp"
#include "listeners.hpp"

namespace p2pdiag::firewall {

// `all` is what was asked of every entrance, for a sender whom nobody knows, and the port was one.
Judgement judge_inbound(const World& world, const std::vector<Asked>& all,
                        const Listeners& listeners);

}  // namespace p2pdiag::firewall
