#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/text.hpp"
#include "fields.hpp"
#include "iptables_rule.hpp"
#include "literals.hpp"

namespace p2pdiag::firewall::xtables {

namespace {

// No module is asked for the first eight bytes of every transport that has ports: they are these.
Expression port(bool source, std::optional<std::uint8_t> protocol) {
    Payload field{Base::transport, source ? 0U : 16U, 16, std::nullopt, protocol};
    return {field, 16};
}

Expression network_field(std::string_view name, Family family) {
    const auto field = payload_field(family == Family::ipv4 ? "ip" : "ip6", name);
    return {field->where, field->type.width};
}

unsigned address_width(Family family) { return family == Family::ipv4 ? 32 : 128; }

std::optional<Bits> read_address(std::string_view text, Family family) {
    const auto address = IpAddress::parse(text);
    if (!address || address->family() != family) return std::nullopt;
    return to_bits(*address);
}

struct MaskedAddress {
    Bits value = 0;
    Bits mask = 0;
};

// "10.0.0.0/8", "10.0.0.1", "10.0.0.0/255.0.255.0".
std::optional<MaskedAddress> read_masked_address(std::string_view text, Family family) {
    const unsigned width = address_width(family);
    const std::size_t slash = text.find('/');
    const auto value = read_address(text.substr(0, slash), family);
    if (!value) return std::nullopt;
    Bits mask = low_mask(width);
    if (slash != std::string_view::npos) {
        const std::string_view mask_text = text.substr(slash + 1);
        if (const auto length = read_number(mask_text); length && *length <= width) {
            mask &= ~low_mask(width - *length);
        } else if (const auto written = read_address(mask_text, family)) {
            mask = *written;
        } else {
            return std::nullopt;
        }
    }
    return MaskedAddress{*value & mask, mask};
}

Expression masked(Expression value, Bits mask) {
    const std::uint8_t width = value.width;
    Arithmetic both;
    both.operands.push_back(std::move(value));
    both.operands.push_back({mask, width});
    return {std::move(both), width};
}

bool read_addresses(const Option& option, std::string_view field, Conditions& conditions) {
    const Family family = conditions.family();
    std::vector<Interval> right;
    for (const std::string_view part : split_list(option.value())) {
        const auto address = read_masked_address(part, family);
        if (!address) return false;
        const Bits rest = ~address->mask & low_mask(address_width(family));
        if ((rest & (rest + 1)) != 0) {
            // The bits that count are not the first ones.
            if (part != option.value()) return false;
            conditions.require(masked(network_field(field, family), address->mask),
                               {{address->value, address->value}}, option.negated);
            return true;
        }
        right.push_back({address->value, address->value | rest});
    }
    conditions.require(network_field(field, family), right, option.negated);
    return true;
}

// A name, or with "+" after it the beginning of one.
bool read_interface(const Option& option, Meta meta, Conditions& conditions) {
    std::string_view name = option.value();
    if (name.empty() || name.size() > 15) return false;
    const bool prefix = name.ends_with('+');
    if (prefix) name.remove_suffix(1);
    const auto interval = prefix_interval(
        name_bits(name), prefix ? static_cast<unsigned>(name.size()) * 8 : 128, 128);
    conditions.require({meta, 128}, {*interval}, option.negated);
    return true;
}

bool read_protocol(const Option& option, Conditions& conditions) {
    if (option.value() == "all" || option.value() == "0") return !option.negated;
    const auto number = protocol_number(option.value());
    if (!number) return false;
    conditions.require({Meta::l4proto, 8}, {{*number, *number}}, option.negated);
    return true;
}

// Only whole packets are asked about, so none is a later fragment.
void require_fragment(const Option& option, Conditions& conditions) {
    conditions.require(masked(network_field("frag-off", Family::ipv4), 0x1fff), {{0, 0}},
                       !option.negated);
}

bool read_base_option(const Option& option, Conditions& conditions) {
    if (option.name == "p") return read_protocol(option, conditions);
    if (option.name == "s") return read_addresses(option, "saddr", conditions);
    if (option.name == "d") return read_addresses(option, "daddr", conditions);
    if (option.name == "i") return read_interface(option, Meta::iifname, conditions);
    if (option.name == "o") return read_interface(option, Meta::oifname, conditions);
    if (option.name == "f" && conditions.family() == Family::ipv4) {
        require_fragment(option, conditions);
        return true;
    }
    return false;
}

// ---- Protocols

std::optional<std::uint32_t> read_tcp_flags(std::string_view text) {
    std::uint32_t mask = 0;
    for (const std::string_view name : split_list(text)) {
        if (name == "ALL") {
            mask |= 0x3f;
        } else if (name != "NONE") {
            std::string lower(name);
            std::transform(lower.begin(), lower.end(), lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            const auto flag = read_exact(json::value(lower), {Type::tcp_flags, 8});
            if (!flag) return std::nullopt;
            mask |= static_cast<std::uint32_t>(*flag);
        }
    }
    return mask;
}

bool read_tcp_flags(const Option& option, Conditions& conditions) {
    const bool syn = option.name == "syn" && option.values.empty();
    if (!syn && option.values.size() != 2) return false;
    const auto mask = read_tcp_flags(syn ? "FIN,SYN,RST,ACK" : std::string_view(option.values[0]));
    const auto set = read_tcp_flags(syn ? "SYN" : std::string_view(option.values[1]));
    if (!mask || !set) return false;
    conditions.require(masked({payload_field("tcp", "flags")->where, 8}, *mask), {{*set, *set}},
                       option.negated);
    return true;
}

bool read_ports(const Module& module, Conditions& conditions) {
    const auto protocol = protocol_number(module.name);
    for (const Option& option : module.options) {
        const bool source = option.name == "sport" || option.name == "source-port";
        if (source || option.name == "dport" || option.name == "destination-port") {
            const auto range = read_range(option.value(), 65535);
            if (!range) return false;
            conditions.require(port(source, protocol), {*range}, option.negated);
        } else if (module.name != "tcp" || (option.name != "tcp-flags" && option.name != "syn") ||
                   !read_tcp_flags(option, conditions)) {
            return false;
        }
    }
    return true;
}

bool read_icmp(const Module& module, Conditions& conditions) {
    const bool v4 = module.name == "icmp";
    for (const Option& option : module.options) {
        if (option.name != (v4 ? "icmp-type" : "icmpv6-type")) return false;
        if (option.value() == "any") return !option.negated;
        const std::size_t slash = option.value().find('/');
        const auto type = read_number(option.value().substr(0, slash));
        if (!type || *type > 255 || (option.negated && slash != std::string_view::npos))
            return false;
        Payload field{Base::transport, 0, 8, conditions.family(),
                      v4 ? std::uint8_t{1} : std::uint8_t{58}};
        conditions.require({field, 8}, {{*type, *type}}, option.negated);
        if (slash == std::string_view::npos) continue;
        const auto code = read_number(option.value().substr(slash + 1));
        if (!code || *code > 255) return false;
        field.offset = 8;
        conditions.require({field, 8}, {{*code, *code}});
    }
    return true;
}

// Its ports are those of whatever protocol -p names.
bool read_multiport(const Module& module, Conditions& conditions) {
    for (const Option& option : module.options) {
        std::vector<Interval> right;
        for (const std::string_view part : split_list(option.value())) {
            const auto range = read_range(part, 65535);
            if (!range) return false;
            right.push_back(*range);
        }
        const auto source = port(true, std::nullopt);
        const auto destination = port(false, std::nullopt);
        if (option.name == "sports" || option.name == "source-ports") {
            conditions.require(source, right, option.negated);
        } else if (option.name == "dports" || option.name == "destination-ports") {
            conditions.require(destination, right, option.negated);
        } else if (option.name != "ports") {
            return false;
        } else if (option.negated) {
            conditions.require(source, right, true);
            conditions.require(destination, right, true);
        } else {
            Conditions first = conditions.fresh();
            first.require(source, right);
            Conditions second = conditions.fresh();
            second.require(source, right, true);
            second.require(destination, right);
            conditions.require_one_of({first, second});
        }
    }
    return true;
}

// ---- Fields of the packet

bool read_mark(const Module& module, Conditions& conditions) {
    for (const Option& option : module.options) {
        const auto wanted = read_masked(option.value());
        if (option.name != "mark" || !wanted) return false;
        const bool of_connection = module.name == "connmark";
        if (of_connection) require_tracked(conditions);
        const Expression mark =
            of_connection ? Expression{Ct::mark, 32} : Expression{Meta::mark, 32};
        conditions.require(wanted->mask == 0xffffffff ? mark : masked(mark, wanted->mask),
                           {{wanted->value, wanted->value}}, option.negated);
    }
    return true;
}

bool read_iprange(const Module& module, Conditions& conditions) {
    const Family family = conditions.family();
    for (const Option& option : module.options) {
        const bool source = option.name == "src-range";
        if (!source && option.name != "dst-range") return false;
        const auto ends = split_list(option.value(), '-');
        const auto low = read_address(ends.front(), family);
        const auto high = read_address(ends.back(), family);
        if (ends.size() > 2 || !low || !high || *low > *high) return false;
        conditions.require(network_field(source ? "saddr" : "daddr", family), {{*low, *high}},
                           option.negated);
    }
    return true;
}

bool read_mac(const Module& module, Conditions& conditions) {
    for (const Option& option : module.options) {
        const std::string text(option.value());
        const auto address = read_exact(json::value(text), {Type::mac, 48});
        if (option.name != "mac-source" || !address) return false;
        Payload field{Base::link, 48, 48, std::nullopt, std::nullopt};
        conditions.require({field, 48}, {{*address, *address}}, option.negated);
    }
    return true;
}

bool read_length(const Module& module, Conditions& conditions) {
    for (const Option& option : module.options) {
        const auto range = read_range(option.value(), 65535);
        if (option.name != "length" || !range) return false;
        conditions.require({Meta::length, 32}, {*range}, option.negated);
    }
    return true;
}

bool read_packet_type(const Module& module, Conditions& conditions) {
    for (const Option& option : module.options) {
        const std::string text(option.value());
        const auto type = read_exact(json::value(text), {Type::pkttype, 8});
        if (option.name != "pkt-type" || !type) return false;
        conditions.require({Meta::pkttype, 8}, {{*type, *type}}, option.negated);
    }
    return true;
}

bool read_hops(const Module& module, Conditions& conditions) {
    const Family family = conditions.family();
    for (const Option& option : module.options) {
        const auto value = read_number(option.value());
        if (!value || *value > 255 || option.name.size() < 3) return false;
        const Expression field = network_field(family == Family::ipv4 ? "ttl" : "hoplimit", family);
        if (option.name.ends_with("-eq")) {
            conditions.require(field, {{*value, *value}}, option.negated);
        } else if (option.name.ends_with("-lt")) {
            conditions.require(field, {{*value, 255}}, !option.negated);
        } else if (option.name.ends_with("-gt")) {
            conditions.require(field, {{0, *value}}, !option.negated);
        } else {
            return false;
        }
    }
    return true;
}

bool read_dscp(const Module& module, Conditions& conditions) {
    for (const Option& option : module.options) {
        const auto value = read_number(option.value());
        if (option.name != "dscp" || !value || *value > 63) return false;
        conditions.require(network_field("dscp", conditions.family()), {{*value, *value}},
                           option.negated);
    }
    return true;
}

// ---- What is no matter of the packet

bool read_nothing(const Module& module, Conditions&) { return module.options.empty(); }

// Writing something down always succeeds; only its other uses ask.
bool read_recent(const Module& module, Conditions&) {
    bool sets = false;
    for (const Option& option : module.options) {
        if (option.name == "set" && !option.negated)
            sets = true;
        else if (option.name != "name" && option.name != "mask" && option.name != "rsource" &&
                 option.name != "rdest") {
            return false;
        }
    }
    return sets;
}

// A connection that belongs to no other has no helper.
bool read_helper(const Module& module, Conditions& conditions) {
    for (const Option& option : module.options) {
        if (option.name != "helper" || option.negated) return false;
    }
    conditions.require_bits({Ct::state, 32}, ct_related);
    conditions.require(Uncertain{{printable(module.text), false}});
    return true;
}

// Headers that our packets do not have.
bool read_extension(const Module& module, Conditions& conditions) {
    if (conditions.family() != Family::ipv6) return false;
    conditions.require({Absent{Family::ipv6, true}, 1}, {{1, 1}});
    return std::none_of(module.options.begin(), module.options.end(),
                        [](const Option& option) { return option.negated; });
}

struct KnownModule {
    std::string_view name;
    bool (*read)(const Module&, Conditions&);
};

constexpr KnownModule known_modules[] = {
    {"tcp", read_ports},           {"udp", read_ports},       {"sctp", read_ports},
    {"dccp", read_ports},          {"udplite", read_ports},   {"icmp", read_icmp},
    {"icmp6", read_icmp},          {"icmpv6", read_icmp},     {"ipv6-icmp", read_icmp},
    {"multiport", read_multiport}, {"mark", read_mark},       {"connmark", read_mark},
    {"conntrack", read_conntrack}, {"state", read_conntrack}, {"addrtype", read_addrtype},
    {"iprange", read_iprange},     {"mac", read_mac},         {"length", read_length},
    {"pkttype", read_packet_type}, {"ttl", read_hops},        {"hl", read_hops},
    {"dscp", read_dscp},           {"recent", read_recent},   {"helper", read_helper},
    {"frag", read_extension},      {"rt", read_extension},    {"hbh", read_extension},
    {"dst", read_extension},       {"comment", read_nothing}};

// A matter of time, rate, chance or the local program.
bool is_circumstantial(std::string_view name) {
    for (const std::string_view known :
         {"limit", "hashlimit", "statistic", "recent", "quota", "time", "connlimit", "connbytes",
          "rateest", "cpu", "owner", "cgroup", "socket", "policy", "osf", "realm", "mac"}) {
        if (known == name) return true;
    }
    return false;
}

// Options without -m belong to the protocol that -p names.
void read_implicit(const Module& first, Conditions& conditions) {
    Module own;
    for (const Option& option : first.options) {
        if (option.name == "p" && !option.negated) own.name = option.values.at(0);
    }
    if (const auto number = protocol_number(own.name)) {
        own.name = *number == 6 ? "tcp" : *number == 17 ? "udp" : own.name;
    }
    for (const Option& option : first.options) {
        if (read_base_option(option, conditions)) continue;
        const bool base = option.name.size() == 1;
        own.options.clear();
        if (!base) own.options.push_back(option);
        const auto* known =
            std::find_if(std::begin(known_modules), std::end(known_modules),
                         [&](const KnownModule& module) { return module.name == own.name; });
        if (base || known == std::end(known_modules) || !known->read(own, conditions)) {
            std::string text = option.negated ? "! " : "";
            text += (base ? "-" : "--") + option.name;
            for (const std::string& value : option.values) text += ' ' + value;
            conditions.require(Uncertain{{printable(text), false}});
        }
    }
}

}  // namespace

std::string read_matches(const Line& line, Conditions& conditions) {
    std::string comment;
    read_implicit(line.matches.front(), conditions);
    for (std::size_t i = 1; i < line.matches.size(); ++i) {
        const Module& module = line.matches[i];
        if (module.name == "comment") {
            for (const Option& option : module.options) {
                if (option.name == "comment") comment = printable(option.value(), 256);
            }
            continue;
        }
        const auto* known =
            std::find_if(std::begin(known_modules), std::end(known_modules),
                         [&](const KnownModule& entry) { return entry.name == module.name; });
        if (known == std::end(known_modules) || !known->read(module, conditions)) {
            conditions.require(Uncertain{{printable(module.text), is_circumstantial(module.name)}});
        }
    }
    return comment;
}

}  // namespace p2pdiag::firewall::xtables
