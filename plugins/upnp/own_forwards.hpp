// Whether the forwards that this program made earlier are still in force, as far as routers and
// their clocks tell. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "situation.hpp"

namespace p2pdiag::upnp_plugin {

// An open forward of the journal, and what was found out of it now. Nothing is taken for found out
// that is not set.
struct OwnForward {
    OpenForward open;
    std::int64_t now = 0;          // seconds since 1970
    bool address_is_ours = true;   // what it leads to; false only where that is certain
    bool router_is_here = false;   // whoever now stands where its router stood
    bool router_is_known = false;  // … and it is the same one, by name or address on the link
    std::optional<portmap::Service> router;  // … as it is asked now
    portmap::ReadBack said;                  // UPnP: of this very port
    std::optional<std::uint32_t> epoch;      // NAT-PMP and PCP: the router's
};

enum class Standing { in_force, lost, stale, unknown };
std::string_view to_string(Standing standing);  // "in-force", "lost", "stale", "unknown"

struct Stands {
    Standing standing = Standing::unknown;
    // A word for programs: of lost "lease-over", "restarted", "gone", "switched-off", "taken"; of stale
    // "other-address", "unfinished"; else empty.
    std::string reason;
    std::string why;  // the same for people; empty where it is in force
};

// Never lost or stale while a process works on it or keeps it up, or where another router may have
// answered in place of its own.
Stands judge_standing(const OwnForward& forward, const Search& search);

// Where it is reached from outside, as far as that is told, and what proves that it works there.
struct Reached {
    std::optional<Endpoint> at;
    std::string verified;     // "packet", "read-back" or nothing
    bool at_program = false;  // that packet came further than this machine's network interface
};
Reached reached(const OwnForward& forward, const Search& search);

// Restarted for certain, running on since then, or neither can be told: the clock of this machine
// counts between the two answers, and may have been set meanwhile.
enum class Epoch { same, restarted, undecided };
Epoch compare_epochs(std::uint32_t then, std::uint32_t now, std::int64_t elapsed_s);

}  // namespace p2pdiag::upnp_plugin
