#include "net/neighbours.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "net/netlink.hpp"

namespace p2pdiag::net {

namespace {

NeighbourState state_of(unsigned state) {
    if ((state & (NUD_PERMANENT | NUD_NOARP)) != 0) return NeighbourState::permanent;
    if ((state & NUD_REACHABLE) != 0) return NeighbourState::reachable;
    if ((state & NUD_FAILED) != 0) return NeighbourState::failed;
    if ((state & NUD_INCOMPLETE) != 0) return NeighbourState::incomplete;
    return NeighbourState::stale;
}

}  // namespace

std::string_view to_string(NeighbourState state) {
    switch (state) {
        case NeighbourState::reachable: return "reachable";
        case NeighbourState::stale: return "stale";
        case NeighbourState::incomplete: return "incomplete";
        case NeighbourState::failed: return "failed";
        case NeighbourState::permanent: break;
    }
    return "permanent";
}

Result<std::vector<Neighbour>> neighbours() {
    std::vector<Neighbour> all;
    const std::array<std::uint8_t, sizeof(ndmsg)> body{};  // AF_UNSPEC: both families
    const auto collect = [&](std::uint16_t type, ByteView message) {
        const auto header = netlink_header<ndmsg>(message);
        if (type != RTM_NEWNEIGH || !header || header->ndm_state == NUD_NONE) return;
        if (header->ndm_family != AF_INET && header->ndm_family != AF_INET6) return;
        const auto address = netlink_address(netlink_attribute(message, sizeof(ndmsg), NDA_DST));
        if (address) all.push_back({*address, header->ndm_ifindex, state_of(header->ndm_state)});
    };
    if (const ErrorCode error = netlink_request(RTM_GETNEIGH, NLM_F_DUMP, body, collect)) {
        return error;
    }
    return all;
}

}  // namespace p2pdiag::net
