// One line of `ip rule`: out of the kernel's message, and into words.
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "net/netlink.hpp"
#include "net/routing_tables.hpp"

namespace p2pdiag::net {

namespace {

// FRA_* of include/uapi/linux/fib_rules.h that came after Linux 6.1.
constexpr std::uint16_t fra_dscp = 25;
constexpr std::uint16_t fra_flow_label = 26;
constexpr std::uint16_t fra_flow_label_mask = 27;
constexpr std::uint16_t fra_source_port_mask = 28;
constexpr std::uint16_t fra_destination_port_mask = 29;
constexpr std::uint16_t fra_dscp_mask = 30;

// What is read below, and what decides over no packet.
constexpr std::uint16_t known_attributes[] = {FRA_DST,
                                              FRA_SRC,
                                              FRA_IIFNAME,
                                              FRA_GOTO,
                                              FRA_PRIORITY,
                                              FRA_FWMARK,
                                              FRA_FLOW,
                                              FRA_TUN_ID,
                                              FRA_SUPPRESS_IFGROUP,
                                              FRA_SUPPRESS_PREFIXLEN,
                                              FRA_TABLE,
                                              FRA_FWMASK,
                                              FRA_OIFNAME,
                                              FRA_PAD,
                                              FRA_L3MDEV,
                                              FRA_UID_RANGE,
                                              FRA_PROTOCOL,
                                              FRA_IP_PROTO,
                                              FRA_SPORT_RANGE,
                                              FRA_DPORT_RANGE,
                                              fra_dscp,
                                              fra_flow_label,
                                              fra_flow_label_mask,
                                              fra_source_port_mask,
                                              fra_destination_port_mask,
                                              fra_dscp_mask};

RoutingRule::Action action_of(unsigned char action) {
    using Action = RoutingRule::Action;
    switch (action) {
        case FR_ACT_TO_TBL: return Action::look_up;
        case FR_ACT_GOTO: return Action::go_to;
        case FR_ACT_NOP: return Action::nothing;
        case FR_ACT_BLACKHOLE: return Action::blackhole;
        case FR_ACT_UNREACHABLE: return Action::unreachable;
        case FR_ACT_PROHIBIT: return Action::prohibit;
        default: return Action::other;
    }
}

class RuleReader {
public:
    RuleReader(ByteView body, const fib_rule_hdr& header) : body_(body), header_(header) {}

    RoutingRule read() {
        rule_.family = header_.family == AF_INET ? Family::ipv4 : Family::ipv6;
        rule_.inverted = (header_.flags & FIB_RULE_INVERT) != 0;
        rule_.action = action_of(header_.action);
        rule_.priority = number(FRA_PRIORITY).value_or(0);
        rule_.table = number(FRA_TABLE).value_or(header_.table);
        rule_.target = number(FRA_GOTO).value_or(0);
        read_conditions();
        read_ports();
        read_other_conditions();
        // The kernel prints -1 where nothing is suppressed.
        rule_.suppressed_prefix =
            static_cast<std::int32_t>(number(FRA_SUPPRESS_PREFIXLEN).value_or(~0U));
        rule_.suppresses_links = number(FRA_SUPPRESS_IFGROUP).value_or(~0U) != ~0U;
        for (const std::uint16_t type : netlink_attribute_types(body_, sizeof(fib_rule_hdr))) {
            if (std::find(std::begin(known_attributes), std::end(known_attributes), type) ==
                std::end(known_attributes))
                rule_.strange = true;
        }
        if (rule_.action == RoutingRule::Action::other) rule_.strange = true;
        return std::move(rule_);
    }

private:
    ByteView attribute(std::uint16_t type) const {
        return netlink_attribute(body_, sizeof(fib_rule_hdr), type);
    }
    std::optional<std::uint32_t> number(std::uint16_t type) const {
        return netlink_u32(attribute(type));
    }

    void asks(const std::string& what) {
        if (!rule_.asks.empty()) rule_.asks += ' ';
        rule_.asks += what;
    }

    void read_conditions() {
        if (header_.src_len != 0) {
            rule_.source = netlink_address(attribute(FRA_SRC));
            rule_.source_prefix = header_.src_len;
            if (!rule_.source) rule_.strange = true;
        }
        if (header_.dst_len != 0) {
            rule_.destination = netlink_address(attribute(FRA_DST));
            rule_.destination_prefix = header_.dst_len;
            if (!rule_.destination) rule_.strange = true;
        }
        rule_.in = netlink_text(attribute(FRA_IIFNAME));
        rule_.out = netlink_text(attribute(FRA_OIFNAME));
        rule_.mark = number(FRA_FWMARK).value_or(0);
        rule_.mark_mask = number(FRA_FWMASK).value_or(rule_.mark == 0 ? 0 : ~0U);
        const ByteView protocol = attribute(FRA_IP_PROTO);
        if (!protocol.empty()) rule_.protocol = protocol[0];
    }

    std::optional<PortRange> ports(std::uint16_t range_type, std::uint16_t mask_type) {
        const ByteView value = attribute(range_type);
        if (value.empty()) return std::nullopt;
        const auto range = netlink_header<fib_rule_port_range>(value);
        // A mask of all bits is what the kernel makes of a single port.
        const auto mask = netlink_header<std::uint16_t>(attribute(mask_type));
        if (mask.value_or(0xFFFF) != 0xFFFF) asks("port mask");
        if (!range || mask.value_or(0xFFFF) != 0xFFFF) return std::nullopt;
        return PortRange{range->start, range->end};
    }

    void read_ports() {
        rule_.source_ports = ports(FRA_SPORT_RANGE, fra_source_port_mask);
        rule_.destination_ports = ports(FRA_DPORT_RANGE, fra_destination_port_mask);
    }

    void read_other_conditions() {
        if (header_.tos != 0) asks("tos");
        if ((header_.flags & FIB_RULE_FIND_SADDR) != 0) asks("find-saddr");
        static constexpr std::pair<std::uint16_t, const char*> others[] = {
            {FRA_UID_RANGE, "uidrange"},
            {FRA_TUN_ID, "tun_id"},
            {FRA_L3MDEV, "l3mdev"},
            {fra_dscp, "dscp"},
            {fra_flow_label, "flowlabel"}};
        for (const auto& [type, name] : others) {
            if (!attribute(type).empty()) asks(name);
        }
    }

    ByteView body_;
    fib_rule_hdr header_;
    RoutingRule rule_;
};

std::string table_name(std::uint32_t table) {
    switch (table) {
        case table_local: return "local";
        case table_main: return "main";
        case table_default: return "default";
        default: return std::to_string(table);
    }
}

std::string hexadecimal(std::uint32_t number) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    do {
        text.insert(text.begin(), digits[number & 15]);
        number >>= 4;
    } while (number != 0);
    return "0x" + text;
}

std::string subnet_text(const std::optional<IpAddress>& address, unsigned prefix) {
    if (!address) return "all";
    const bool single = prefix == (address->is_v4() ? 32U : 128U);
    return address->to_string() + (single ? "" : '/' + std::to_string(prefix));
}

std::string range_text(const PortRange& range) {
    const std::string first = std::to_string(range.first);
    return range.first == range.last ? first : first + '-' + std::to_string(range.last);
}

std::string action_text(const RoutingRule& rule) {
    using Action = RoutingRule::Action;
    switch (rule.action) {
        case Action::look_up: return "lookup " + table_name(rule.table);
        case Action::go_to: return "goto " + std::to_string(rule.target);
        case Action::nothing: return "nop";
        case Action::blackhole: return "blackhole";
        case Action::unreachable: return "unreachable";
        case Action::prohibit: return "prohibit";
        case Action::other: break;
    }
    return "an unknown action";
}

}  // namespace

std::optional<RoutingRule> read_routing_rule(ByteView body) {
    const auto header = netlink_header<fib_rule_hdr>(body);
    if (!header || (header->family != AF_INET && header->family != AF_INET6)) return std::nullopt;
    return RuleReader(body, *header).read();
}

std::string RoutingRule::text() const {
    std::string line = std::to_string(priority) + ": " + (inverted ? "not from " : "from ") +
                       subnet_text(source, source_prefix);
    if (destination) line += " to " + subnet_text(destination, destination_prefix);
    if (mark_mask == ~0U) line += " fwmark " + hexadecimal(mark);
    if (mark_mask != ~0U && mark_mask != 0)
        line += " fwmark " + hexadecimal(mark) + '/' + hexadecimal(mark_mask);
    if (!in.empty()) line += " iif " + in;
    if (!out.empty()) line += " oif " + out;
    if (!asks.empty()) line += ' ' + asks;
    if (protocol != 0) line += " ipproto " + std::to_string(protocol);
    if (source_ports) line += " sport " + range_text(*source_ports);
    if (destination_ports) line += " dport " + range_text(*destination_ports);
    line += ' ' + action_text(*this);
    if (suppressed_prefix >= 0)
        line += " suppress_prefixlength " + std::to_string(suppressed_prefix);
    if (suppresses_links) line += " suppress_ifgroup";
    if (strange) line += " and something unknown";
    return line;
}

std::vector<RoutingRule> usual_rules(Family family) {
    const auto rule = [&](std::uint32_t priority, std::uint32_t table) {
        RoutingRule made;
        made.family = family;
        made.priority = priority;
        made.table = table;
        return made;
    };
    std::vector<RoutingRule> rules = {rule(0, table_local), rule(32766, table_main)};
    if (family == Family::ipv4) rules.push_back(rule(32767, table_default));
    return rules;
}

bool is_usual(const RoutingRule& rule) {
    const std::vector<RoutingRule> usual = usual_rules(rule.family);
    return std::any_of(usual.begin(), usual.end(), [&](const RoutingRule& one) {
        return rule.table == one.table && rule.priority == one.priority &&
               rule.text() == one.text();
    });
}

}  // namespace p2pdiag::net
