// Telling a filter from a lossy path. Silence proves nothing by itself: it counts only when
// requests that were sure to be answered, sent at the same time, did get their answers.
#pragma once

#include <vector>

#include "observations.hpp"

namespace p2pdiag::nat {

using Probes = std::vector<const Probe*>;

struct Tally {
    unsigned sent = 0;  // those whose time to be answered is over
    unsigned unanswered = 0;
};

Tally tally(const Observations& seen, const Probes& probes);

// Sends of `silent` that had an answered send of `controls` beside them in time. A gap in the path
// silences both, so only these say anything.
unsigned telling_silence(const Observations& seen, const Probes& silent, const Probes& controls);

// The same of one probe, and only of what it sent from `since` on.
unsigned telling_silence(const Observations& seen, const Probe& silent, const Probes& controls,
                         TimePoint since);

// Likelihood ratio of "loss silenced `silent` sends too" against "loss took only what the controls
// lost".
double loss_likelihood(Tally controls, unsigned silent);

// Below this, loss is no explanation. Ten silent sends against ten answered controls are past it;
// at 20 % loss in each direction it takes about twenty.
inline constexpr double credible_ratio = 1e-5;

// Loss cannot explain that `silent` got no answer while `controls` did.
bool loss_excluded(const Observations& seen, const Probes& silent, const Probes& controls);

// All probes of one role and server.
Probes probes_of(const Observations& seen, Role role, std::size_t server);

// The probe of this role from this socket; null where there is none.
const Probe* of_socket(const Observations& seen, Role role, SocketId socket);

}  // namespace p2pdiag::nat
