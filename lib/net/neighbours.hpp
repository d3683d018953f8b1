// What the kernel knows of the machines beside this one (ARP, RFC 826; neighbour discovery, RFC
// 4861 section 7.3.2). Sends nothing: it knows of those only that packets went to.
#pragma once

#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

enum class NeighbourState {
    reachable,   // answered lately
    stale,       // answered once
    incomplete,  // is being asked
    failed,      // was asked, and did not answer
    permanent    // set by hand, or needs no asking
};
std::string_view to_string(NeighbourState state);

struct Neighbour {
    IpAddress address;
    int interface = 0;  // index
    NeighbourState state = NeighbourState::incomplete;
    Bytes hardware = {};  // its address on the link; empty where that has none, or did not tell
};

// The error is that of the kernel.
Result<std::vector<Neighbour>> neighbours();

// Whether both addresses are known to belong to one neighbour on this link. Packets must have gone
// to both before, else nothing is known.
bool same_neighbour(const std::vector<Neighbour>& table, int interface, const IpAddress& a,
                    const IpAddress& b);

}  // namespace p2pdiag::net
