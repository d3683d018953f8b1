// All routes of this machine and the rules that choose among them. Sends nothing, needs no
// privilege.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

// RT_TABLE_* of include/uapi/linux/rtnetlink.h
inline constexpr std::uint32_t table_default = 253;
inline constexpr std::uint32_t table_main = 254;
inline constexpr std::uint32_t table_local = 255;

enum class RouteType {
    unicast,
    local,
    broadcast,
    multicast,
    blackhole,
    unreachable,
    prohibit,
    thrown,  // "throw": as if the table had no route
    other
};

// A packet that takes such a route goes nowhere.
constexpr bool refuses(RouteType type) {
    return type == RouteType::blackhole || type == RouteType::unreachable ||
           type == RouteType::prohibit;
}

// One line of a table.
struct TableRoute {
    using Type = RouteType;

    IpAddress destination;
    unsigned prefix = 0;  // bits
    RouteType type = RouteType::unicast;
    int interface = 0;         // index; 0 where it names none or several
    std::uint32_t metric = 0;  // the smallest wins
    std::uint32_t table = table_main;
    // Counts for some packets only, or at some times: of one type of service, of one source, of a
    // link that is down.
    bool at_times = false;

    // Every machine has these tables, which rules beside the usual ones leave in their order.
    bool is_of_usual_table() const {
        return table == table_main || table == table_local || table == table_default;
    }
};

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

// A line of `ip rule`. What it asks must all hold.
struct RoutingRule {
    enum class Action { look_up, go_to, nothing, blackhole, unreachable, prohibit, other };

    Family family = Family::ipv4;
    std::uint32_t priority = 0;  // the smallest is asked first
    bool inverted = false;       // "not": applies where what it asks does not hold
    std::optional<IpAddress> source;
    unsigned source_prefix = 0;  // bits
    std::optional<IpAddress> destination;
    unsigned destination_prefix = 0;
    std::string in;   // interface by name; "": any
    std::string out;  // that a socket is bound to
    std::uint32_t mark = 0;
    std::uint32_t mark_mask = 0;
    std::uint8_t protocol = 0;  // IANA number; 0: any
    std::optional<PortRange> source_ports;
    std::optional<PortRange> destination_ports;
    // What else it asks, in words: "uidrange", "tos".
    std::string asks;
    // Says something that this program does not know: it may ask and do anything.
    bool strange = false;

    Action action = Action::look_up;
    std::uint32_t table = 0;   // of look_up
    std::uint32_t target = 0;  // of go_to: a priority
    // Routes of at most that many bits do not count; -1: all do.
    int suppressed_prefix = -1;
    bool suppresses_links = false;  // nor do those of some group of links

    // "5210: from all fwmark 0x80000/0xff0000 lookup main", in the words of `ip rule`.
    std::string text() const;
};

// Of every machine: local, main, and default; by IPv6 the first two.
std::vector<RoutingRule> usual_rules(Family family);
bool is_usual(const RoutingRule& rule);

// From a message RTM_NEWRULE, behind its netlink header; nothing where it is of neither family.
std::optional<RoutingRule> read_routing_rule(ByteView body);

inline constexpr std::size_t max_routing_rules = 1000;    // by family
inline constexpr std::size_t max_table_routes = 100'000;  // of all tables and both families

struct RoutingTables {
    // Of the tables main, local and default and those that a rule looks up. Nothing: too many.
    std::optional<std::vector<TableRoute>> routes;
    // In the order in which the kernel asks them. Nothing: too many, or they were not told.
    std::optional<std::vector<RoutingRule>> rules_v4;
    std::optional<std::vector<RoutingRule>> rules_v6;
};

// The error is that of the kernel.
Result<RoutingTables> routing_tables();

}  // namespace p2pdiag::net
