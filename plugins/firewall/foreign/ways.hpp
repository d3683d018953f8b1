// The ways that a packet may take through rules of which something is not known, and what is said
// of them together. For firewalls whose rules are no chains of hooks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evaluate.hpp"
#include "state.hpp"

namespace p2pdiag::firewall::foreign {

// Whether all the conditions of a rule hold. A condition that does not is enough for `no`, whatever
// else is not known.
struct Match {
    Truth truth = Truth::yes;
    std::uint64_t reasons = 0;  // bits of Reasons: why it is `maybe`

    // `reason` is a bit of Reasons, and counts where `condition` is `maybe`.
    void require(Truth condition, std::uint64_t reason = 0);
};

// One way that it may end.
struct End {
    bool passes = false;
    bool rejected = false;  // not passing: refused with an answer
    std::string reject_kind;
    std::optional<RuleRef> rule;
    std::string why;            // a sentence
    std::uint64_t reasons = 0;  // what was not known on the way here
};

// At most some, past which one takes on the reasons of others that end alike.
void add_end(std::vector<End>& ends, End one);

// A packet of this machine to whoever `incoming` is from.
Packet sent_back(const Packet& incoming);

class Ways {
public:
    Reasons reasons;

    void end(End one);
    void trace(TraceStep step);  // at most Limits::max_trace
    const std::vector<End>& ends() const { return ends_; }
    // What passes so far meets another firewall, by whose ends (of the same Reasons) it is
    // replaced.
    void go_on(const std::vector<End>& then);

    // Definite when all end alike.
    Verdict conclude() const;

private:
    std::vector<End> ends_;
    std::vector<TraceStep> trace_;
    bool cut_ = false;
};

}  // namespace p2pdiag::firewall::foreign
