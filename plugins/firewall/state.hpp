// A packet on its way through the rules, as far as it is known.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model.hpp"

namespace p2pdiag::firewall {

// Where something was decided: a rule, or without one the policy of the chain.
struct Place {
    const Ruleset* ruleset = nullptr;
    const Chain* chain = nullptr;
    const Rule* rule = nullptr;

    friend bool operator==(const Place&, const Place&) = default;
};

enum class Tracking : std::uint8_t { none, tracked, untracked };

struct State {
    Known source;
    Known destination;
    Known source_port;
    Known destination_port;
    Known mark;
    Known connection_mark;
    Known status;  // IPS_* bits
    Tracking tracking = Tracking::none;
    bool destination_settled = false;  // looked for a translation, found one or none
    bool source_settled = false;
    bool header_written = false;  // fields besides addresses and ports are not what they were
    // Whichever of this machine's addresses it is: after a redirect, or as it was asked.
    bool goes_to_some_own_address = false;

    // Not of the packet itself, so left out of comparisons:
    std::uint64_t reasons = 0;  // of Reasons: what was not known on the way here
    // Came here as a packet does that is on no list and exceeds no limit: of what was not known,
    // nothing applied.
    bool ordinary = true;
    Place accepted_by;
    unsigned accepted_rank = 0;

    bool same_packet(const State& other) const;
};

// Adds a state, or its reasons to one that is the same packet.
void merge(std::vector<State>& states, const State& state);

// What verdicts may turn out to hang on.
class Reasons {
public:
    struct Reason {
        std::string text;
        bool circumstantial;
    };

    // A bit for the reason. Past 64 different ones they share the last.
    std::uint64_t add(std::string text, bool circumstantial);
    std::vector<Reason> list(std::uint64_t mask) const;

private:
    std::vector<Reason> all_;
};

}  // namespace p2pdiag::firewall
