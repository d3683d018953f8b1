// What a test mapping by each protocol shows: findings, data and status of upnp.mapping. Pure.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "failures.hpp"
#include "leftovers.hpp"
#include "offers.hpp"
#include "outside_proof.hpp"

namespace p2pdiag::upnp_plugin {

// One protocol of one router, tried with a mapping of its own.
struct Trial {
    Offer offer;
    std::optional<Try> asked;  // nothing where no port was free to try it with
    std::optional<portmap::Outcome<portmap::MapGrant>> granted;  // nothing = not answered in time
    std::optional<OutsideProof> proof;  // of a packet from outside; nothing = not tried
    std::optional<portmap::ReadBack> read_back;
    // Nothing where there was nothing to remove, or the time was over.
    std::optional<portmap::Outcome<void>> removed;
    std::int64_t asked_at = 0;  // seconds since 1970

    // Asked for, and neither refused nor known to be gone.
    bool may_be_there() const;
};

struct MappingTest {
    std::vector<Trial> trials;
    std::vector<Offer> not_ready;       // answered, but will not do it, or did not say
    std::optional<std::string> unread;  // see unread_router()
    Leftovers leftovers;                // of earlier runs
    std::uint16_t target_port = 0;
    bool searched = false;  // the search came to its end
    bool complete = false;  // and so did the trials
};

Judgement judge_mapping_test(const MappingTest& test);

// The port to try `offer` with: the target port where the router's own list shows that nobody has
// it, else the next that is free. 0 = none of `most` is. Never one that could be somebody's:
// NAT-PMP and PCP cannot be asked for that, and the mapping of a program that is not running would
// be overwritten. `is_free` says whether this machine has a use for a port.
std::uint16_t choose_port(const Offer& offer, Transport transport, std::uint16_t target,
                          const portmap::Discovered& found,
                          const std::function<bool(std::uint16_t)>& is_free);

}  // namespace p2pdiag::upnp_plugin
