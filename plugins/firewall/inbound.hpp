// firewall.inbound, without the machine: what the verdicts mean.
#pragma once

#include "ask.hpp"
#include "judgement.hpp"

namespace p2pdiag::firewall {

// `port` of every entrance, by UDP and TCP, asked for a sender whom nobody knows.
Judgement judge_inbound(const World& world, std::uint16_t port);

}  // namespace p2pdiag::firewall
