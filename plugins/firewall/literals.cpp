#include "literals.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>

namespace p2pdiag::firewall {

namespace {

struct Symbol {
    std::string_view name;
    unsigned value;
};

constexpr Symbol protocols[] = {
    {"ip", 0},     {"icmp", 1},        {"igmp", 2},       {"tcp", 6},    {"udp", 17},
    {"dccp", 33},  {"ipv6-route", 43}, {"ipv6-frag", 44}, {"gre", 47},   {"esp", 50},
    {"ah", 51},    {"ipv6-icmp", 58},  {"icmpv6", 58},    {"ospf", 89},  {"ipcomp", 108},
    {"comp", 108}, {"vrrp", 112},      {"l2tp", 115},     {"sctp", 132}, {"udplite", 136}};

constexpr Symbol ethertypes[] = {
    {"ip", 0x0800}, {"arp", 0x0806}, {"vlan", 0x8100}, {"8021q", 0x8100}, {"ip6", 0x86dd}};

constexpr Symbol nfprotos[] = {{"ipv4", 2}, {"ipv6", 10}};

constexpr Symbol states[] = {
    {"invalid", 1}, {"established", 2}, {"related", 4}, {"new", 8}, {"untracked", 64}};

constexpr Symbol statuses[] = {{"expected", 1}, {"seen-reply", 2}, {"assured", 4}, {"confirmed", 8},
                               {"snat", 16},    {"dnat", 32},      {"dying", 512}};

constexpr Symbol directions[] = {{"original", 0}, {"reply", 1}};

constexpr Symbol tcp_flags[] = {{"fin", 1},  {"syn", 2},  {"rst", 4},  {"psh", 8},
                                {"ack", 16}, {"urg", 32}, {"ecn", 64}, {"cwr", 128}};

constexpr Symbol pkttypes[] = {
    {"host", 0}, {"unicast", 0}, {"broadcast", 1}, {"multicast", 2}, {"other", 3}};

constexpr Symbol link_types[] = {{"ether", 1},      {"ppp", 512}, {"ipip", 768}, {"ipip6", 769},
                                 {"loopback", 772}, {"sit", 776}, {"ipgre", 778}};

// RTN_* of include/uapi/linux/rtnetlink.h.
constexpr Symbol fib_types[] = {{"unspec", 0},    {"unicast", 1},     {"local", 2},
                                {"broadcast", 3}, {"anycast", 4},     {"multicast", 5},
                                {"blackhole", 6}, {"unreachable", 7}, {"prohibit", 8}};

constexpr Symbol icmp_types[] = {{"echo-reply", 0},           {"destination-unreachable", 3},
                                 {"source-quench", 4},        {"redirect", 5},
                                 {"echo-request", 8},         {"router-advertisement", 9},
                                 {"router-solicitation", 10}, {"time-exceeded", 11},
                                 {"parameter-problem", 12},   {"timestamp-request", 13},
                                 {"timestamp-reply", 14},     {"info-request", 15},
                                 {"info-reply", 16},          {"address-mask-request", 17},
                                 {"address-mask-reply", 18}};

constexpr Symbol icmpv6_types[] = {
    {"destination-unreachable", 1},  {"packet-too-big", 2},         {"time-exceeded", 3},
    {"parameter-problem", 4},        {"echo-request", 128},         {"echo-reply", 129},
    {"mld-listener-query", 130},     {"mld-listener-report", 131},  {"mld-listener-done", 132},
    {"mld-listener-reduction", 132}, {"nd-router-solicit", 133},    {"nd-router-advert", 134},
    {"nd-neighbor-solicit", 135},    {"nd-neighbor-advert", 136},   {"nd-redirect", 137},
    {"router-renumbering", 138},     {"ind-neighbor-solicit", 141}, {"ind-neighbor-advert", 142},
    {"mld2-listener-report", 143}};

template <std::size_t size>
std::optional<Bits> look_up(const Symbol (&symbols)[size], std::string_view name) {
    const auto* found = std::find_if(std::begin(symbols), std::end(symbols),
                                     [&](const Symbol& symbol) { return symbol.name == name; });
    if (found == std::end(symbols)) return std::nullopt;
    return found->value;
}

std::optional<Bits> symbol(Type type, std::string_view name) {
    switch (type) {
        case Type::protocol: return look_up(protocols, name);
        case Type::ethertype: return look_up(ethertypes, name);
        case Type::nfproto: return look_up(nfprotos, name);
        case Type::ct_state: return look_up(states, name);
        case Type::ct_status: return look_up(statuses, name);
        case Type::ct_direction: return look_up(directions, name);
        case Type::tcp_flags: return look_up(tcp_flags, name);
        case Type::pkttype: return look_up(pkttypes, name);
        case Type::link_type: return look_up(link_types, name);
        case Type::fib_type: return look_up(fib_types, name);
        case Type::icmp_type: return look_up(icmp_types, name);
        case Type::icmpv6_type: return look_up(icmpv6_types, name);
        default: return std::nullopt;
    }
}

// Decimal, or hexadecimal of up to 128 bits after "0x".
std::optional<Bits> number(std::string_view text) {
    if (text.starts_with("0x")) {
        text.remove_prefix(2);
        if (text.empty() || text.size() > 32) return std::nullopt;
        Bits value = 0;
        for (const char c : text) {
            unsigned digit = 0;
            if (std::from_chars(&c, &c + 1, digit, 16).ptr == &c) return std::nullopt;
            value = value << 4 | digit;
        }
        return value;
    }
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
    return value;
}

std::optional<Bits> mac(std::string_view text) {
    if (text.size() != 17) return std::nullopt;
    Bits value = 0;
    for (std::size_t i = 0; i < 17; i += 3) {
        unsigned byte = 0;
        const auto end = text.data() + i + 2;
        if (std::from_chars(text.data() + i, end, byte, 16).ptr != end) return std::nullopt;
        if (i + 2 < 17 && text[i + 2] != ':') return std::nullopt;
        value = value << 8 | byte;
    }
    return value;
}

// nft prints an interface that is gone by its number, which any may have by now; 0 is none at all.
std::optional<Bits> interface(std::string_view text) {
    if (text == "0") return name_bits("");
    const bool digits =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits || text.size() > 15) return std::nullopt;
    return name_bits(text);
}

std::optional<Bits> from_text(std::string_view text, Type type) {
    switch (type) {
        case Type::opaque: return std::nullopt;
        case Type::ipv4:
        case Type::ipv6: {
            const auto address = IpAddress::parse(text);
            if (!address || address->is_v4() != (type == Type::ipv4)) return std::nullopt;
            return to_bits(*address);
        }
        case Type::interface: return interface(text);
        case Type::mac: return mac(text);
        default: break;
    }
    if (const auto value = symbol(type, text)) return value;
    return number(text);
}

std::optional<Interval> flags_of(const json::array& list, const TypeInfo& type) {
    if (list.empty()) return std::nullopt;
    Bits mask = 0;
    for (const json::value& item : list) {
        const auto bit = read_exact(item, type);
        if (!bit) return std::nullopt;
        mask |= *bit;
    }
    return Interval{mask, mask};
}

std::optional<Interval> read_object(const json::object& object, const TypeInfo& type) {
    if (object.size() != 1) return std::nullopt;
    if (const json::object* prefix = json::find_object(object, "prefix")) {
        const json::value* address = json::find(*prefix, "addr");
        const auto length = json::find_integer(*prefix, "len");
        const auto low = address == nullptr ? std::nullopt : read_exact(*address, type);
        if (!low || !length || *length < 0 || *length > type.width) return std::nullopt;
        return prefix_interval(*low, static_cast<unsigned>(*length), type.width);
    }
    if (const json::array* range = json::find_array(object, "range"); range && range->size() == 2) {
        const auto low = read_exact((*range)[0], type);
        const auto high = read_exact((*range)[1], type);
        if (!low || !high || *low > *high) return std::nullopt;
        return Interval{*low, *high};
    }
    if (const json::array* bits = json::find_array(object, "|")) return flags_of(*bits, type);
    return std::nullopt;
}

}  // namespace

TypeInfo type_of_set(std::string_view name) {
    struct Entry {
        std::string_view name;
        TypeInfo info;
    };
    static constexpr Entry entries[] = {
        {"ipv4_addr", {Type::ipv4, 32}},
        {"ipv6_addr", {Type::ipv6, 128}},
        {"inet_service", {Type::port, 16}},
        {"inet_proto", {Type::protocol, 8}},
        {"ifname", {Type::name, 128}},
        {"iface_index", {Type::interface, 128}},
        {"mark", {Type::number, 32}},
        {"integer", {Type::number, 128}},
        {"ether_addr", {Type::mac, 48}},
        {"ether_type", {Type::ethertype, 16}},
        {"nf_proto", {Type::nfproto, 8}},
        {"ct_state", {Type::ct_state, 32}},
        {"ct_status", {Type::ct_status, 32}},
        {"ct_dir", {Type::ct_direction, 8}},
        {"tcp_flag", {Type::tcp_flags, 8}},
        {"pkt_type", {Type::pkttype, 8}},
        {"iface_type", {Type::link_type, 16}},
        {"fib_addrtype", {Type::fib_type, 32}},
        {"boolean", {Type::boolean, 1}},
        {"icmp_type", {Type::icmp_type, 8}},
        {"icmpv6_type", {Type::icmpv6_type, 8}},
    };
    for (const Entry& entry : entries) {
        if (entry.name == name) return entry.info;
    }
    return {};
}

std::optional<std::uint8_t> protocol_number(std::string_view text) {
    auto value = look_up(protocols, text);
    if (!value) value = number(text);
    if (!value || *value > 255) return std::nullopt;
    return static_cast<std::uint8_t>(*value);
}

std::optional<Interval> name_interval(std::string_view text) {
    std::string name(text);
    bool prefix = false;
    if (name.ends_with("\\*")) {
        name.replace(name.size() - 2, 2, "*");
    } else if (name.ends_with('*')) {
        name.pop_back();
        prefix = true;
    }
    if (name.size() > 15) return std::nullopt;
    const Bits low = name_bits(name);
    if (!prefix) return Interval{low, low};
    return prefix_interval(low, static_cast<unsigned>(name.size()) * 8, 128);
}

std::optional<Interval> prefix_interval(Bits address, unsigned prefix, unsigned width) {
    if (prefix > width || width > 128) return std::nullopt;
    const Bits rest = low_mask(width - prefix);
    return Interval{address & ~rest, address | rest};
}

std::optional<Interval> read_literal(const json::value& literal, const TypeInfo& type) {
    if (type.type == Type::opaque) return std::nullopt;
    if (const json::object* object = literal.if_object()) return read_object(*object, type);
    if (const json::array* list = literal.if_array()) return flags_of(*list, type);

    std::optional<Bits> value;
    if (const auto* text = literal.if_string()) {
        const std::string_view view(text->data(), text->size());
        if (type.type == Type::name) return name_interval(view);
        value = from_text(view, type.type);
    } else if (const bool* truth = literal.if_bool()) {
        if (type.type == Type::boolean) value = *truth ? 1 : 0;
    } else if (type.type == Type::interface || type.type == Type::name) {
        return std::nullopt;
    } else if (const std::int64_t* integer = literal.if_int64()) {
        // jansson has no unsigned numbers: 2^63 and more of a 64-bit field come out negative.
        if (*integer >= 0 || type.width == 64) value = static_cast<std::uint64_t>(*integer);
    } else if (const std::uint64_t* large = literal.if_uint64()) {
        value = *large;
    }
    if (!value || (*value & ~low_mask(type.width)) != 0) return std::nullopt;
    return Interval{*value, *value};
}

std::optional<Bits> read_exact(const json::value& literal, const TypeInfo& type) {
    const auto interval = read_literal(literal, type);
    if (!interval || interval->low != interval->high) return std::nullopt;
    return interval->low;
}

}  // namespace p2pdiag::firewall
