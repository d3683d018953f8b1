// What a packet that was asked for from outside shows of the target port, as it is now: findings,
// data and status of upnp.target. Pure.
#pragma once

#include <optional>
#include <string>

#include <p2pdiag/judgement.hpp>

#include "outside_proof.hpp"

namespace p2pdiag::upnp_plugin {

struct TargetFacts {
    std::uint16_t port = 0;          // the same one outside and here
    std::optional<bool> behind_nat;  // nothing = stun.nat did not tell, so that nothing was tried
    // The NAT lets everybody in to whatever has sent something: no forward has to be the reason.
    bool full_cone = false;
    // A packet came in by a forward of ours when that was made, and it is not taken back.
    bool proven_earlier = false;
    OutsideProof proof;
    bool interrupted = false;
};

Judgement judge_target(const TargetFacts& facts);

}  // namespace p2pdiag::upnp_plugin
