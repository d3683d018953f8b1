// Whether a forward works, from what a packet from outside and the router's own list say. Pure.
#pragma once

#include <optional>
#include <string>

#include "failures.hpp"
#include "outside_proof.hpp"

namespace p2pdiag::upnp_plugin {

struct VerifyFacts {
    Try made;
    portmap::MapGrant grant;
    std::optional<OutsideProof> proof;  // UDP alone
    portmap::ReadBack read_back;
    bool interrupted = false;
};

// PASS, FAIL or UNKNOWN, with data {"method", "again", …}.
Judgement judge_forward(const VerifyFacts& facts);

// OutsideProof::why_not for people.
std::string why_no_packet(const std::string& reason);

}  // namespace p2pdiag::upnp_plugin
