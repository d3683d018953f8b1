#include "fields.hpp"

#include <algorithm>
#include <iterator>

namespace p2pdiag::firewall {

namespace {

struct Entry {
    std::string_view protocol;
    std::string_view field;
    std::uint16_t offset;  // bits, as the length
    std::uint16_t length;
    Type type = Type::number;
};

constexpr Entry entries[] = {
    // RFC 791 section 3.1
    {"ip", "version", 0, 4},
    {"ip", "hdrlength", 4, 4},
    {"ip", "dscp", 8, 6},
    {"ip", "ecn", 14, 2},
    {"ip", "length", 16, 16},
    {"ip", "id", 32, 16},
    {"ip", "frag-off", 48, 16},
    {"ip", "ttl", 64, 8},
    {"ip", "protocol", 72, 8, Type::protocol},
    {"ip", "checksum", 80, 16},
    {"ip", "saddr", 96, 32, Type::ipv4},
    {"ip", "daddr", 128, 32, Type::ipv4},
    // RFC 8200 section 3
    {"ip6", "version", 0, 4},
    {"ip6", "dscp", 4, 6},
    {"ip6", "ecn", 10, 2},
    {"ip6", "flowlabel", 12, 20},
    {"ip6", "length", 32, 16},
    {"ip6", "nexthdr", 48, 8, Type::protocol},
    {"ip6", "hoplimit", 56, 8},
    {"ip6", "saddr", 64, 128, Type::ipv6},
    {"ip6", "daddr", 192, 128, Type::ipv6},
    // RFC 768
    {"udp", "sport", 0, 16, Type::port},
    {"udp", "dport", 16, 16, Type::port},
    {"udp", "length", 32, 16},
    {"udp", "checksum", 48, 16},
    // RFC 9293 section 3.1
    {"tcp", "sport", 0, 16, Type::port},
    {"tcp", "dport", 16, 16, Type::port},
    {"tcp", "sequence", 32, 32},
    {"tcp", "ackseq", 64, 32},
    {"tcp", "doff", 96, 4},
    {"tcp", "reserved", 100, 4},
    {"tcp", "flags", 104, 8, Type::tcp_flags},
    {"tcp", "window", 112, 16},
    {"tcp", "checksum", 128, 16},
    {"tcp", "urgptr", 144, 16},
    {"th", "sport", 0, 16, Type::port},
    {"th", "dport", 16, 16, Type::port},
    {"icmp", "type", 0, 8, Type::icmp_type},
    {"icmp", "code", 8, 8, Type::opaque},
    {"icmpv6", "type", 0, 8, Type::icmpv6_type},
    {"icmpv6", "code", 8, 8, Type::opaque},
    // Of the rest of the transports only the ports are read; see other_transport().
    {"udplite", "sport", 0, 16, Type::port},
    {"udplite", "dport", 16, 16, Type::port},
    {"sctp", "sport", 0, 16, Type::port},
    {"sctp", "dport", 16, 16, Type::port},
    {"dccp", "sport", 0, 16, Type::port},
    {"dccp", "dport", 16, 16, Type::port},
};

std::optional<std::uint8_t> number_of_transport(std::string_view protocol) {
    for (const std::string_view name :
         {"udp", "tcp", "icmp", "icmpv6", "udplite", "sctp", "dccp", "ah", "esp", "comp", "igmp"}) {
        if (name == protocol) return protocol_number(name);
    }
    return std::nullopt;
}

// ICMP for IPv4 is none of IPv6's, and the other way round.
std::optional<Family> family_of(std::string_view protocol) {
    if (protocol == "ip" || protocol == "icmp" || protocol == "igmp") return Family::ipv4;
    if (protocol == "ip6" || protocol == "icmpv6") return Family::ipv6;
    return std::nullopt;
}

Field make_field(std::string_view protocol, std::uint32_t offset, std::uint32_t length, Type type) {
    Field field;
    const bool network = protocol == "ip" || protocol == "ip6";
    field.where.base = network ? Base::network : Base::transport;
    field.where.offset = offset;
    field.where.length = length;
    field.where.family = family_of(protocol);
    field.where.protocol = number_of_transport(protocol);
    field.type = {type, static_cast<std::uint8_t>(length)};
    return field;
}

}  // namespace

std::optional<Field> payload_field(std::string_view protocol, std::string_view field) {
    const auto* entry = std::find_if(
        std::begin(entries), std::end(entries),
        [&](const Entry& known) { return known.protocol == protocol && known.field == field; });
    if (entry != std::end(entries)) {
        return make_field(protocol, entry->offset, entry->length, entry->type);
    }
    // Whatever the field is, a packet of another protocol does not have it. Of one that has,
    // nothing so far into the header is known.
    if (!number_of_transport(protocol)) return std::nullopt;
    return make_field(protocol, 64, 8, Type::opaque);
}

std::optional<MetaField> meta_field(std::string_view key) {
    static constexpr struct {
        std::string_view name;
        MetaField field;
    } known[] = {
        {"iif", {Meta::iif, {Type::interface, 128}}},
        {"iifname", {Meta::iifname, {Type::name, 128}}},
        {"oif", {Meta::oif, {Type::interface, 128}}},
        {"oifname", {Meta::oifname, {Type::name, 128}}},
        {"iiftype", {Meta::iiftype, {Type::link_type, 16}}},
        {"oiftype", {Meta::oiftype, {Type::link_type, 16}}},
        {"mark", {Meta::mark, {Type::number, 32}}},
        {"nfproto", {Meta::nfproto, {Type::nfproto, 8}}},
        {"l4proto", {Meta::l4proto, {Type::protocol, 8}}},
        {"protocol", {Meta::protocol, {Type::ethertype, 16}}},
        {"pkttype", {Meta::pkttype, {Type::pkttype, 8}}},
        {"length", {Meta::length, {Type::number, 32}}},
    };
    for (const auto& entry : known) {
        if (entry.name == key) return entry.field;
    }
    return std::nullopt;
}

bool is_circumstantial_meta(std::string_view key) {
    for (const std::string_view name :
         {"time", "hour", "day", "random", "cpu", "skuid", "skgid", "cgroup"}) {
        if (name == key) return true;
    }
    return false;
}

std::optional<CtField> ct_field(std::string_view key, std::string_view direction) {
    if (direction == "reply") return std::nullopt;
    static constexpr struct {
        std::string_view name;
        bool directed;
        CtField field;
    } known[] = {
        {"state", false, {Ct::state, {Type::ct_state, 32}}},
        {"status", false, {Ct::status, {Type::ct_status, 32}}},
        {"mark", false, {Ct::mark, {Type::number, 32}}},
        {"direction", false, {Ct::direction, {Type::ct_direction, 8}}},
        {"l3proto", true, {Ct::l3proto, {Type::nfproto, 8}}},
        {"protocol", true, {Ct::protocol, {Type::protocol, 8}}},
        {"ip saddr", true, {Ct::source, {Type::ipv4, 32}}},
        {"ip6 saddr", true, {Ct::source, {Type::ipv6, 128}}},
        {"ip daddr", true, {Ct::destination, {Type::ipv4, 32}}},
        {"ip6 daddr", true, {Ct::destination, {Type::ipv6, 128}}},
        {"proto-src", true, {Ct::source_port, {Type::port, 16}}},
        {"proto-dst", true, {Ct::destination_port, {Type::port, 16}}},
    };
    for (const auto& entry : known) {
        if (entry.name == key && entry.directed == !direction.empty()) return entry.field;
    }
    return std::nullopt;
}

}  // namespace p2pdiag::firewall
