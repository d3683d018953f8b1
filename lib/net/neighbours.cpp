#include "net/neighbours.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "net/netlink.hpp"

namespace p2pdiag::net {

namespace {

NeighbourState neighbour_state_of(unsigned state) {
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
        const auto attribute = [&](std::uint16_t name) {
            return netlink_attribute(message, sizeof(ndmsg), name);
        };
        const auto address = netlink_address(attribute(NDA_DST));
        const ByteView hardware = attribute(NDA_LLADDR);
        if (!address) return;
        all.push_back({*address,
                       header->ndm_ifindex,
                       neighbour_state_of(header->ndm_state),
                       {hardware.begin(), hardware.end()}});
    };
    if (const ErrorCode error = netlink_request(RTM_GETNEIGH, NLM_F_DUMP, body, collect)) {
        return error;
    }
    return all;
}

bool same_neighbour(const std::vector<Neighbour>& table, int interface, const IpAddress& a,
                    const IpAddress& b) {
    // Of one that does not answer any more, what is left in the table is no evidence.
    const auto find = [&](const IpAddress& address) {
        return std::ranges::find_if(table, [&](const Neighbour& one) {
            const bool answers =
                one.state != NeighbourState::incomplete && one.state != NeighbourState::failed;
            return one.interface == interface && one.address == address && answers &&
                   std::ranges::any_of(one.hardware, [](std::uint8_t byte) { return byte != 0; });
        });
    };
    const auto first = find(a);
    const auto second = find(b);
    return first != table.end() && second != table.end() && first->hardware == second->hardware;
}

}  // namespace p2pdiag::net
