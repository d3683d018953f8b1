#include "net/routing_tables.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "net/netlink.hpp"

namespace p2pdiag::net {

namespace {

RouteType type_of(unsigned char type) {
    switch (type) {
        case RTN_UNICAST: return RouteType::unicast;
        case RTN_LOCAL: return RouteType::local;
        case RTN_BROADCAST: return RouteType::broadcast;
        case RTN_BLACKHOLE: return RouteType::blackhole;
        case RTN_UNREACHABLE: return RouteType::unreachable;
        case RTN_PROHIBIT: return RouteType::prohibit;
        default: return RouteType::other;
    }
}

bool is_ip(unsigned char family) { return family == AF_INET || family == AF_INET6; }

void take_route(ByteView body, RoutingTables& tables) {
    const auto header = netlink_header<rtmsg>(body);
    if (!header || !is_ip(header->rtm_family) || (header->rtm_flags & RTM_F_CLONED) != 0) return;
    const auto attribute = [&](std::uint16_t type) {
        return netlink_attribute(body, sizeof(rtmsg), type);
    };
    const std::uint32_t table = netlink_u32(attribute(RTA_TABLE)).value_or(header->rtm_table);
    if (table != RT_TABLE_MAIN && table != RT_TABLE_LOCAL && table != RT_TABLE_DEFAULT) return;
    if (header->rtm_tos != 0 || header->rtm_src_len != 0) tables.has_policy = true;
    TableRoute route;
    if (header->rtm_family == AF_INET6) route.destination = IpAddress::v6({});
    if (const auto destination = netlink_address(attribute(RTA_DST)))
        route.destination = *destination;
    route.prefix = header->rtm_dst_len;
    route.type = type_of(header->rtm_type);
    route.interface = static_cast<int>(netlink_u32(attribute(RTA_OIF)).value_or(0));
    route.metric = netlink_u32(attribute(RTA_PRIORITY)).value_or(0);
    tables.routes.push_back(route);
}

// "from all lookup local", main and default: what every machine has.
bool is_usual(ByteView body) {
    const auto header = netlink_header<fib_rule_hdr>(body);
    if (!header || !is_ip(header->family)) return true;
    const auto attribute = [&](std::uint16_t type) {
        return netlink_attribute(body, sizeof(fib_rule_hdr), type);
    };
    const std::uint32_t table = netlink_u32(attribute(FRA_TABLE)).value_or(header->table);
    const std::uint32_t priority = netlink_u32(attribute(FRA_PRIORITY)).value_or(0);
    const bool plain = header->action == FR_ACT_TO_TBL && header->src_len == 0 &&
                       header->dst_len == 0 && header->tos == 0 &&
                       (header->flags & FIB_RULE_INVERT) == 0;
    if (!plain) return false;
    for (const std::uint16_t condition :
         {FRA_IIFNAME, FRA_OIFNAME, FRA_FWMARK, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE,
          FRA_UID_RANGE, FRA_L3MDEV}) {
        if (!attribute(condition).empty()) return false;
    }
    return (table == RT_TABLE_LOCAL && priority == 0) ||
           (table == RT_TABLE_MAIN && priority == 32766) ||
           (table == RT_TABLE_DEFAULT && priority == 32767);
}

}  // namespace

Result<RoutingTables> routing_tables() {
    RoutingTables tables;
    const std::array<std::uint8_t, sizeof(rtmsg)> body{};  // AF_UNSPEC: both families
    const auto on_route = [&](std::uint16_t type, ByteView message) {
        if (type == RTM_NEWROUTE) take_route(message, tables);
    };
    if (const ErrorCode error = netlink_request(RTM_GETROUTE, NLM_F_DUMP, body, on_route)) {
        return error;
    }
    static_assert(sizeof(fib_rule_hdr) == sizeof(rtmsg));
    const auto on_rule = [&](std::uint16_t type, ByteView message) {
        if (type == RTM_NEWRULE && !is_usual(message)) tables.has_policy = true;
    };
    const ErrorCode error = netlink_request(RTM_GETRULE, NLM_F_DUMP, body, on_rule);
    // A kernel without rules has none.
    if (error && error != boost::system::errc::operation_not_supported) return error;
    return tables;
}

}  // namespace p2pdiag::net
