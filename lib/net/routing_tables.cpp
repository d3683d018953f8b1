#include "net/routing_tables.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <set>

#include "net/netlink.hpp"

namespace p2pdiag::net {

namespace {

RouteType type_of(unsigned char type) {
    switch (type) {
        case RTN_UNICAST: return RouteType::unicast;
        case RTN_LOCAL: return RouteType::local;
        case RTN_BROADCAST: return RouteType::broadcast;
        case RTN_MULTICAST: return RouteType::multicast;
        case RTN_BLACKHOLE: return RouteType::blackhole;
        case RTN_UNREACHABLE: return RouteType::unreachable;
        case RTN_PROHIBIT: return RouteType::prohibit;
        case RTN_THROW: return RouteType::thrown;
        default: return RouteType::other;
    }
}

bool is_ip(unsigned char family) { return family == AF_INET || family == AF_INET6; }

void take_route(ByteView body, const std::set<std::uint32_t>& wanted, RoutingTables& tables) {
    const auto header = netlink_header<rtmsg>(body);
    if (!header || !is_ip(header->rtm_family)) return;
    if ((header->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD)) != 0 || !tables.routes) return;
    const auto attribute = [&](std::uint16_t type) {
        return netlink_attribute(body, sizeof(rtmsg), type);
    };
    TableRoute route;
    route.table = netlink_u32(attribute(RTA_TABLE)).value_or(header->rtm_table);
    if (!wanted.contains(route.table)) return;
    if (header->rtm_family == AF_INET6) route.destination = IpAddress::v6({});
    if (const auto destination = netlink_address(attribute(RTA_DST)))
        route.destination = *destination;
    route.prefix = header->rtm_dst_len;
    route.type = type_of(header->rtm_type);
    route.interface = static_cast<int>(netlink_u32(attribute(RTA_OIF)).value_or(0));
    route.metric = netlink_u32(attribute(RTA_PRIORITY)).value_or(0);
    route.at_times = header->rtm_tos != 0 || header->rtm_src_len != 0 ||
                     (header->rtm_flags & RTNH_F_LINKDOWN) != 0;
    tables.routes->push_back(route);
}

// Of one family. The kernel lists rules in the order in which it asks them.
ErrorCode take_rules(Family family, std::optional<std::vector<RoutingRule>>& rules) {
    std::array<std::uint8_t, sizeof(fib_rule_hdr)> body{};
    body[0] = family == Family::ipv4 ? AF_INET : AF_INET6;
    rules.emplace();
    const auto on_rule = [&](std::uint16_t type, ByteView message) {
        if (type != RTM_NEWRULE || !rules) return;
        auto rule = read_routing_rule(message);
        if (!rule || rule->family != family) return;
        if (rules->size() == max_routing_rules) return rules.reset();
        rules->push_back(std::move(*rule));
    };
    const ErrorCode error = netlink_request(RTM_GETRULE, NLM_F_DUMP, body, on_rule);
    // A kernel without rules, or without the family, goes by the usual ones.
    if (error == boost::system::errc::operation_not_supported ||
        error == boost::system::errc::address_family_not_supported) {
        rules = usual_rules(family);
        return {};
    }
    return error;
}

void want_tables(const std::optional<std::vector<RoutingRule>>& rules,
                 std::set<std::uint32_t>& wanted) {
    if (!rules) return;
    for (const RoutingRule& rule : *rules) {
        if (rule.action == RoutingRule::Action::look_up) wanted.insert(rule.table);
    }
}

}  // namespace

Result<RoutingTables> routing_tables() {
    RoutingTables tables;
    if (const ErrorCode error = take_rules(Family::ipv4, tables.rules_v4)) return error;
    if (const ErrorCode error = take_rules(Family::ipv6, tables.rules_v6)) return error;
    std::set<std::uint32_t> wanted = {table_main, table_local, table_default};
    want_tables(tables.rules_v4, wanted);
    want_tables(tables.rules_v6, wanted);

    tables.routes.emplace();
    static_assert(sizeof(fib_rule_hdr) == sizeof(rtmsg));
    const std::array<std::uint8_t, sizeof(rtmsg)> body{};  // AF_UNSPEC: both families
    // Of all tables, since of many more the kernel's answer is not read to its end.
    std::size_t count = 0;
    const auto on_route = [&](std::uint16_t type, ByteView message) {
        if (type != RTM_NEWROUTE) return;
        if (++count > max_table_routes) return tables.routes.reset();
        take_route(message, wanted, tables);
    };
    if (const ErrorCode error = netlink_request(RTM_GETROUTE, NLM_F_DUMP, body, on_route))
        return error;
    return tables;
}

}  // namespace p2pdiag::net
