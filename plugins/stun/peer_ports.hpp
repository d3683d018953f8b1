// Does UDP get out to ports like those of peers, or to those alone that firewalls are told of?
#pragma once

#include <vector>

#include "loss.hpp"
#include "verdict.hpp"

namespace p2pdiag::nat {

// Known and true, or unknown: a packet came to a port that no list of permitted ports would have.
// Reason::served_and_silent or prohibited where the contrary is suspected.
Field<bool> judge_unlisted_ports(const Observations& seen);

// Ports that a server answers from and at which it got none of our requests, though its own port
// got them. A filter on the way out does that; so would one before the server.
struct ServedAndSilent {
    std::vector<Endpoint> endpoints;
    Probes requests;       // what was sent there
    bool certain = false;  // loss is no explanation
};
ServedAndSilent judge_served_ports(const Observations& seen);

}  // namespace p2pdiag::nat
