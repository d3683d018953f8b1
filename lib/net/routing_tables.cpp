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
    route.of_local_table = table == RT_TABLE_LOCAL;
    tables.routes.push_back(route);
}

// "from all lookup local", main and default: what every machine has. Of another family's rules too.
struct Rule {
    bool usual = true;
    bool local = false;
};

Rule read_rule(ByteView body) {
    const auto header = netlink_header<fib_rule_hdr>(body);
    if (!header || !is_ip(header->family)) return {};
    const auto attribute = [&](std::uint16_t type) {
        return netlink_attribute(body, sizeof(fib_rule_hdr), type);
    };
    const std::uint32_t table = netlink_u32(attribute(FRA_TABLE)).value_or(header->table);
    const std::uint32_t priority = netlink_u32(attribute(FRA_PRIORITY)).value_or(0);
    const bool plain = header->action == FR_ACT_TO_TBL && header->src_len == 0 &&
                       header->dst_len == 0 && header->tos == 0 &&
                       (header->flags & FIB_RULE_INVERT) == 0;
    // The kernel prints -1 where nothing is suppressed.
    const auto suppressed = netlink_u32(attribute(FRA_SUPPRESS_PREFIXLEN));
    if (!plain || suppressed.value_or(~0U) != ~0U) return {false, false};
    for (const std::uint16_t condition :
         {FRA_IIFNAME, FRA_OIFNAME, FRA_FWMARK, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE,
          FRA_UID_RANGE, FRA_L3MDEV, FRA_SUPPRESS_IFGROUP}) {
        if (!attribute(condition).empty()) return {false, false};
    }
    const bool local = table == RT_TABLE_LOCAL && priority == 0;
    const bool other = (table == RT_TABLE_MAIN && priority == 32766) ||
                       (table == RT_TABLE_DEFAULT && priority == 32767);
    return {local || other, local};
}

// Of one family. The kernel lists rules in the order in which it asks them.
ErrorCode take_rules(int family, RoutingTables& tables) {
    std::array<std::uint8_t, sizeof(fib_rule_hdr)> body{};
    body[0] = static_cast<std::uint8_t>(family);
    bool first_is_local = false;
    std::size_t count = 0;
    const auto on_rule = [&](std::uint16_t type, ByteView message) {
        if (type != RTM_NEWRULE) return;
        const Rule rule = read_rule(message);
        if (count++ == 0) first_is_local = rule.local;
        if (!rule.usual) tables.has_policy = true;
    };
    const ErrorCode error = netlink_request(RTM_GETRULE, NLM_F_DUMP, body, on_rule);
    // A kernel without rules, or without the family, has none.
    if (error == boost::system::errc::operation_not_supported ||
        error == boost::system::errc::address_family_not_supported)
        return {};
    // local and main there must be.
    if (!error && count < 2) tables.has_policy = true;
    if (!error && !first_is_local) tables.local_first = false;
    return error;
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
    for (const int family : {AF_INET, AF_INET6}) {
        if (const ErrorCode error = take_rules(family, tables)) return error;
    }
    return tables;
}

}  // namespace p2pdiag::net
