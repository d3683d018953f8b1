#include "ipsec.hpp"

#include <algorithm>

#include "route_rules.hpp"

namespace p2pdiag::firewall {

namespace {

using Policy = net::IpsecPolicy;

Truth is_under_mask(const Known& value, std::uint32_t mask, std::uint32_t wanted) {
    const Known part = {value.value & mask, value.unknown & mask};
    return part.in({wanted, wanted});
}

Truth is_policy_port(const Packet& packet, const Known& port, std::uint16_t mask,
                     std::uint16_t wanted) {
    if (mask == 0) return Truth::yes;
    // Of other protocols the kernel has other things in place of ports.
    const bool has_ports = packet.protocol == protocol_tcp || packet.protocol == protocol_udp;
    return has_ports ? is_under_mask(port, mask, static_cast<std::uint16_t>(wanted & mask))
                     : Truth::maybe;
}

// xfrm_policy_match() of net/xfrm/xfrm_policy.c.
Truth is_about(const Policy& policy, const Packet& packet, const State& state,
               const net::Interface* link) {
    const Known nothing = Known::nothing(packet.family() == Family::ipv4 ? 32 : 128);
    const Known to = state.goes_to_some_own_address ? nothing : state.destination;
    std::vector<Truth> all;
    if (policy.family) {
        if (policy.family != packet.family()) return Truth::no;
        all.push_back(is_in_subnet(state.source, policy.source, policy.source_prefix));
        all.push_back(is_in_subnet(to, policy.destination, policy.destination_prefix));
    }
    all.push_back(
        is_policy_port(packet, state.source_port, policy.source_port_mask, policy.source_port));
    all.push_back(is_policy_port(packet, state.destination_port, policy.destination_port_mask,
                                 policy.destination_port));
    if (policy.protocol != 0)
        all.push_back(policy.protocol == packet.protocol ? Truth::yes : Truth::no);
    if (policy.interface != 0) {
        const bool same = link == nullptr || link->index == policy.interface;
        all.push_back(same ? Truth::maybe : Truth::no);
    }
    all.push_back(is_under_mask(state.mark, policy.mark_mask, policy.mark));
    if (policy.link_id != 0) {
        const bool could = link == nullptr || link->kind == net::LinkKind::tunnel;
        all.push_back(could ? Truth::maybe : Truth::no);
    }
    if (std::find(all.begin(), all.end(), Truth::no) != all.end()) return Truth::no;
    const bool sure = std::find(all.begin(), all.end(), Truth::maybe) == all.end();
    return sure ? Truth::yes : Truth::maybe;
}

}  // namespace

std::string find_ipsec(const World& world, Policy::Direction direction, const Packet& packet,
                       const State& state, const net::Interface* link) {
    const Policy* found = nullptr;        // of those that do something, the one that comes first
    std::optional<std::uint32_t> passes;  // from this priority on nothing else is asked
    for (const Policy& policy : world.ipsec) {
        if (policy.direction != direction) continue;
        const Truth truth = is_about(policy, packet, state, link);
        if (truth == Truth::no) continue;
        if (!policy.lets_pass) {
            if (found == nullptr || policy.priority < found->priority) found = &policy;
        } else if (truth == Truth::yes) {
            passes = std::min(passes.value_or(policy.priority), policy.priority);
        }
    }
    // Of equal ones the older counts, which is not told.
    if (found == nullptr || (passes && *passes < found->priority)) return {};
    return found->text();
}

}  // namespace p2pdiag::firewall
