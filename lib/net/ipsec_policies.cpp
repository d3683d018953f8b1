#include "net/ipsec_policies.hpp"

#include <arpa/inet.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/netlink.hpp"

namespace p2pdiag::net {

namespace {

using Direction = IpsecPolicy::Direction;

std::optional<Direction> direction_of(unsigned char direction) {
    switch (direction) {
        case XFRM_POLICY_IN: return Direction::in;
        case XFRM_POLICY_OUT: return Direction::out;
        case XFRM_POLICY_FWD: return Direction::forward;
        default: return std::nullopt;
    }
}

IpAddress policy_address(const xfrm_address_t& address, Family family) {
    if (family == Family::ipv4) return IpAddress::v4(ntohl(address.a4));
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &address, bytes.size());
    return IpAddress::v6(bytes);
}

void read_selector(const xfrm_selector& selector, IpsecPolicy& policy) {
    const bool v4 = selector.family == AF_INET;
    if (v4 || selector.family == AF_INET6) {
        const Family family = v4 ? Family::ipv4 : Family::ipv6;
        policy.family = family;
        policy.source = policy_address(selector.saddr, family);
        policy.destination = policy_address(selector.daddr, family);
        policy.source_prefix = selector.prefixlen_s;
        policy.destination_prefix = selector.prefixlen_d;
    }
    policy.source_port = ntohs(selector.sport);
    policy.source_port_mask = ntohs(selector.sport_mask);
    policy.destination_port = ntohs(selector.dport);
    policy.destination_port_mask = ntohs(selector.dport_mask);
    policy.protocol = selector.proto;
    policy.interface = selector.ifindex;
}

// What is done with packets that no policy is about; Linux 5.14 and later.
ErrorCode add_defaults(std::vector<IpsecPolicy>& policies) {
    const auto on_message = [&](std::uint16_t type, ByteView body) {
        const auto defaults = netlink_header<xfrm_userpolicy_default>(body);
        if (type != XFRM_MSG_GETDEFAULT || !defaults) return;
        const auto add = [&](std::uint8_t does, Direction direction) {
            if (does != XFRM_USERPOLICY_BLOCK) return;
            IpsecPolicy policy;
            policy.direction = direction;
            policy.priority = ~0U;
            policies.push_back(policy);
        };
        add(defaults->in, Direction::in);
        add(defaults->out, Direction::out);
        add(defaults->fwd, Direction::forward);
    };
    const std::array<std::uint8_t, sizeof(xfrm_userpolicy_default)> body{};
    const ErrorCode error =
        netlink_request(NetlinkTable::transforms, XFRM_MSG_GETDEFAULT, 0, body, on_message);
    // An older kernel does not know the question, and has no such defaults.
    return error == boost::system::errc::invalid_argument ? ErrorCode() : error;
}

std::string subnet_of_policy(const IpsecPolicy& policy, const IpAddress& address, unsigned prefix) {
    if (!policy.family) return "all";
    return address.to_string() + '/' + std::to_string(prefix);
}

}  // namespace

std::optional<IpsecPolicy> read_ipsec_policy(ByteView body) {
    const auto info = netlink_header<xfrm_userpolicy_info>(body);
    if (!info) return std::nullopt;
    const auto direction = direction_of(info->dir);
    if (!direction) return std::nullopt;
    const auto attribute = [&](std::uint16_t type) {
        return netlink_attribute(body, sizeof(xfrm_userpolicy_info), type);
    };
    IpsecPolicy policy;
    policy.direction = *direction;
    policy.priority = info->priority;
    read_selector(info->sel, policy);
    if (const auto mark = netlink_header<xfrm_mark>(attribute(XFRMA_MARK))) {
        policy.mark = mark->v;
        policy.mark_mask = mark->m;
    }
    policy.link_id = netlink_u32(attribute(XFRMA_IF_ID)).value_or(0);
    const auto type = netlink_header<xfrm_userpolicy_type>(attribute(XFRMA_POLICY_TYPE));
    const bool is_main = !type || type->type == XFRM_POLICY_TYPE_MAIN;
    policy.lets_pass =
        info->action == XFRM_POLICY_ALLOW && attribute(XFRMA_TMPL).empty() && is_main;
    return policy;
}

std::string IpsecPolicy::text() const {
    static constexpr const char* names[] = {"in", "out", "fwd"};
    std::string line = std::string("dir ") + names[static_cast<std::size_t>(direction)] + " src " +
                       subnet_of_policy(*this, source, source_prefix) + " dst " +
                       subnet_of_policy(*this, destination, destination_prefix);
    if (protocol != 0) line += " proto " + std::to_string(protocol);
    if (source_port_mask != 0) line += " sport " + std::to_string(source_port);
    if (destination_port_mask != 0) line += " dport " + std::to_string(destination_port);
    return line;
}

Result<std::vector<IpsecPolicy>> ipsec_policies() {
    std::vector<IpsecPolicy> policies;
    bool too_many = false;
    const auto on_policy = [&](std::uint16_t type, ByteView body) {
        if (type != XFRM_MSG_NEWPOLICY) return;
        auto policy = read_ipsec_policy(body);
        if (!policy) return;
        too_many = too_many || policies.size() == max_ipsec_policies;
        if (!too_many) policies.push_back(std::move(*policy));
    };
    const std::array<std::uint8_t, sizeof(xfrm_userpolicy_id)> body{};
    const ErrorCode error =
        netlink_request(NetlinkTable::transforms, XFRM_MSG_GETPOLICY, NLM_F_DUMP, body, on_policy);
    if (error == boost::system::errc::protocol_not_supported) return policies;
    if (error) return error;
    if (too_many) return ErrorCode(EOVERFLOW, boost::system::system_category());
    if (const ErrorCode defaults = add_defaults(policies)) return defaults;
    return policies;
}

}  // namespace p2pdiag::net
