// The largest packet that a path carries, and whether what is larger vanishes without a word. Pure:
// what was sent and what came of it is handed in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/address.hpp"

namespace p2pdiag::network_plugin {

// Requests of one size. Each asks for a small answer, so only the way there is measured.
struct SizeTally {
    unsigned size = 0;       // bytes of the IP packet
    bool fragments = false;  // it may be sent on in pieces
    unsigned sent = 0;
    unsigned answered = 0;
};

struct MtuTrial {
    unsigned link_mtu = 0;         // of the link that packets leave by: the largest size tried
    std::vector<SizeTally> sizes;  // the small one (of no padding) is not among them
    unsigned small_sent = 0;       // at the same time
    unsigned small_answered = 0;
    // "Fragmentation needed" or "packet too big": a router that says what it carries.
    std::optional<std::uint32_t> told_mtu;
    std::optional<IpAddress> told_by;
};

enum class MtuReason {
    none,             // the path's MTU is known
    not_answered,     // the server did not answer small requests either
    loss,             // so much is lost that silence says nothing
    no_large_answer,  // the server may not answer requests of that size
    unfinished
};
std::string_view to_string(MtuReason reason);

struct MtuVerdict {
    std::optional<unsigned> path_mtu;  // known to pass, and as large as the link or a router says
    std::optional<unsigned> passes;    // the largest size that was answered
    bool black_hole = false;           // larger ones vanish, though small ones are answered
    // Larger ones vanish, but the server, and not the path, may be why.
    bool suspected = false;
    MtuReason reason = MtuReason::unfinished;
};

// How often a size must have stayed silent, at the least, before loss is ruled out.
inline constexpr unsigned enough_silent = 6;

MtuVerdict judge_mtu(const MtuTrial& trial);

}  // namespace p2pdiag::network_plugin
