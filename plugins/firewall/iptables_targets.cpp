#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "fields.hpp"
#include "iptables_rule.hpp"
#include "literals.hpp"

namespace p2pdiag::firewall::xtables {

namespace {

const Option* find(const Module& target, std::string_view name) {
    const auto found = std::find_if(target.options.begin(), target.options.end(),
                                    [&](const Option& option) { return option.name == name; });
    return found == target.options.end() ? nullptr : &*found;
}

Steps opaque(const Module& target) { return {Opaque{{printable(target.text), false}}}; }

// ---- REJECT

struct Answer {
    std::string_view option;
    std::string_view kind;
};

constexpr Answer answers[] = {{"icmp-net-unreachable", "icmp net-unreachable"},
                              {"icmp-host-unreachable", "icmp host-unreachable"},
                              {"icmp-proto-unreachable", "icmp prot-unreachable"},
                              {"icmp-port-unreachable", "icmp port-unreachable"},
                              {"icmp-net-prohibited", "icmp net-prohibited"},
                              {"icmp-host-prohibited", "icmp host-prohibited"},
                              {"icmp-admin-prohibited", "icmp admin-prohibited"},
                              {"icmp6-no-route", "icmp no-route"},
                              {"icmp6-adm-prohibited", "icmp admin-prohibited"},
                              {"icmp6-addr-unreachable", "icmp addr-unreachable"},
                              {"icmp6-port-unreachable", "icmp port-unreachable"},
                              {"icmp6-policy-fail", "icmp policy-fail"},
                              {"icmp6-reject-route", "icmp reject-route"},
                              {"tcp-reset", "tcp reset"}};

Steps read_reject(const Module& target, const Context&) {
    Reject reject;
    reject.kind = "icmp port-unreachable";
    for (const Option& option : target.options) {
        if (option.name != "reject-with") return opaque(target);
        const auto* found =
            std::find_if(std::begin(answers), std::end(answers),
                         [&](const Answer& answer) { return answer.option == option.value(); });
        if (found == std::end(answers)) return opaque(target);
        reject.kind = found->kind;
    }
    return {reject};
}

// ---- Marks

Expression combined(Arithmetic::Operation operation, Expression left, Expression right) {
    Arithmetic both;
    both.operation = operation;
    both.operands.push_back(std::move(left));
    both.operands.push_back(std::move(right));
    return {std::move(both), 32};
}

// (old & ~mask) ^ value
Expression changed(const Expression& old, std::uint32_t mask, Expression value) {
    if (mask == 0xffffffff) return value;
    return combined(Arithmetic::Operation::bit_xor,
                    combined(Arithmetic::Operation::bit_and, old, {Bits{~mask}, 32}),
                    std::move(value));
}

Expression constant(std::uint32_t value) { return {Bits{value}, 32}; }

// The same for MARK and CONNMARK: --set-mark is --set-xmark where the bits of the value are cleared
// too.
std::optional<Expression> new_mark(const Option& option, const Expression& old) {
    const auto given = read_masked(option.value());
    if (!given) return std::nullopt;
    if (option.name == "set-xmark") return changed(old, given->mask, constant(given->value));
    if (option.name == "set-mark")
        return changed(old, given->mask | given->value, constant(given->value));
    if (given->mask != 0xffffffff) return std::nullopt;
    if (option.name == "and-mark") {
        return combined(Arithmetic::Operation::bit_and, old, constant(given->value));
    }
    if (option.name == "or-mark") {
        return combined(Arithmetic::Operation::bit_or, old, constant(given->value));
    }
    if (option.name == "xor-mark") {
        return combined(Arithmetic::Operation::bit_xor, old, constant(given->value));
    }
    return std::nullopt;
}

Steps read_mark(const Module& target, const Context&) {
    if (target.options.size() != 1) return opaque(target);
    auto value = new_mark(target.options[0], {Meta::mark, 32});
    if (!value) return opaque(target);
    return {SetMark{false, std::move(*value)}};
}

// A packet without a connection is left as it is. Reading the mark of one that is not there ends
// the rule here, which is the same, but a constant would be set.
Steps only_tracked(SetMark mark) {
    Match match;
    match.left.push_back({Ct::state, 32});
    match.how = Match::How::no_bit;
    match.mask = ct_invalid | ct_untracked;
    return {std::move(match), std::move(mark)};
}

Steps read_connmark(const Module& target, const Context&) {
    std::uint32_t packet_mask = 0xffffffff;
    std::uint32_t connection_mask = 0xffffffff;
    bool saves = false;
    bool restores = false;
    const Expression packet{Meta::mark, 32};
    const Expression connection{Ct::mark, 32};
    for (const Option& option : target.options) {
        const auto number = read_number(option.value());
        if (option.name == "save-mark") {
            saves = true;
        } else if (option.name == "restore-mark") {
            restores = true;
        } else if (number && option.name == "nfmask") {
            packet_mask = *number;
        } else if (number && option.name == "ctmask") {
            connection_mask = *number;
        } else if (number && option.name == "mask") {
            packet_mask = connection_mask = *number;
        } else if (auto value = new_mark(option, connection); value && target.options.size() == 1) {
            return only_tracked({true, std::move(*value)});
        } else {
            return opaque(target);
        }
    }
    const auto part_of = [](const Expression& whole, std::uint32_t mask) {
        return combined(Arithmetic::Operation::bit_and, whole, constant(mask));
    };
    if (saves && !restores) {
        return only_tracked(
            {true, changed(connection, connection_mask, part_of(packet, packet_mask))});
    }
    if (restores && !saves) {
        return only_tracked(
            {false, changed(packet, packet_mask, part_of(connection, connection_mask))});
    }
    return opaque(target);
}

Steps read_ct(const Module& target, const Context&) {
    bool untracks = false;
    for (const Option& option : target.options) {
        if (option.name == "notrack")
            untracks = true;
        else if (option.name != "helper" && option.name != "ctevents" &&
                 option.name != "expevents" && option.name != "timeout") {
            return opaque(target);
        }
    }
    return untracks ? Steps{Untrack{}} : Steps{};
}

Steps read_notrack(const Module&, const Context&) { return {Untrack{}}; }

// ---- Translation

void set_port(const Interval& range, Translate& translate) {
    if (range.low == range.high)
        translate.port = Expression{range.low, 16};
    else
        translate.port_range = range;
}

// "10.0.0.1", "10.0.0.1-10.0.0.9:5-9", ":5", "[fd00::1]:5", "fd00::1".
bool read_endpoint(std::string_view text, Family family, Translate& translate) {
    std::string_view addresses = text;
    std::string_view ports;
    const std::size_t colon = text.rfind(':');
    const std::size_t bracket = text.rfind(']');
    const bool has_port = family == Family::ipv4
                              ? colon != std::string_view::npos
                              : bracket != std::string_view::npos && colon == bracket + 1;
    if (has_port) {
        addresses = text.substr(0, colon);
        ports = text.substr(colon + 1);
    }
    if (!addresses.empty()) {
        const auto ends = split_list(addresses, '-');
        const auto address = [&](std::string_view end) {
            if (end.starts_with('[') && end.ends_with(']')) end = end.substr(1, end.size() - 2);
            const auto read = IpAddress::parse(end);
            return read && read->family() == family ? read : std::nullopt;
        };
        const auto low = address(ends.front());
        const auto high = address(ends.back());
        if (ends.size() > 2 || !low || !high || to_bits(*low) > to_bits(*high)) return false;
        const std::uint8_t width = family == Family::ipv4 ? 32 : 128;
        if (*low == *high)
            translate.address = Expression{to_bits(*low), width};
        else
            translate.address_range = Interval{to_bits(*low), to_bits(*high)};
    }
    if (!has_port) return !addresses.empty();
    const auto range = read_range(ports, 65535, '-');
    if (!range) return false;
    set_port(*range, translate);
    return true;
}

Steps read_translation(const Module& target, const Context& context, Translate::Kind kind) {
    Translate translate;
    translate.kind = kind;
    translate.family = context.family;
    for (const Option& option : target.options) {
        if (option.name == "to-destination" || option.name == "to-source") {
            if (!read_endpoint(option.value(), context.family, translate)) return opaque(target);
        } else if (option.name == "to-ports") {
            const auto range = read_range(option.value(), 65535, '-');
            if (!range) return opaque(target);
            set_port(*range, translate);
        } else if (option.name != "random" && option.name != "random-fully" &&
                   option.name != "persistent") {
            return opaque(target);
        }
    }
    return {translate};
}

Steps read_dnat(const Module& target, const Context& context) {
    if (find(target, "to-destination") == nullptr) return opaque(target);
    return read_translation(target, context, Translate::Kind::destination);
}

Steps read_snat(const Module& target, const Context& context) {
    if (find(target, "to-source") == nullptr) return opaque(target);
    return read_translation(target, context, Translate::Kind::source);
}

Steps read_redirect(const Module& target, const Context& context) {
    return read_translation(target, context, Translate::Kind::redirect);
}

Steps read_masquerade(const Module& target, const Context& context) {
    return read_translation(target, context, Translate::Kind::masquerade);
}

// ---- The rest

// IP header fields that nothing but another rule looks at.
Steps read_header_change(const Module& target, const Context& context) {
    const bool v4 = context.family == Family::ipv4;
    const bool hops = target.name == "TTL" || target.name == "HL";
    const auto field = payload_field(v4 ? "ip" : "ip6", hops ? (v4 ? "ttl" : "hoplimit") : "dscp");
    return {SetPayload{field->where}};
}

Steps read_effectless(const Module&, const Context&) { return {Effectless{}}; }

struct KnownTarget {
    std::string_view name;
    Steps (*read)(const Module&, const Context&);
};

constexpr KnownTarget known_targets[] = {{"REJECT", read_reject},
                                         {"MARK", read_mark},
                                         {"CONNMARK", read_connmark},
                                         {"CT", read_ct},
                                         {"NOTRACK", read_notrack},
                                         {"DNAT", read_dnat},
                                         {"SNAT", read_snat},
                                         {"REDIRECT", read_redirect},
                                         {"MASQUERADE", read_masquerade},
                                         {"TTL", read_header_change},
                                         {"HL", read_header_change},
                                         {"DSCP", read_header_change},
                                         {"TOS", read_header_change},
                                         {"LOG", read_effectless},
                                         {"NFLOG", read_effectless},
                                         {"ULOG", read_effectless},
                                         {"AUDIT", read_effectless},
                                         {"TRACE", read_effectless},
                                         {"CHECKSUM", read_effectless},
                                         {"CLASSIFY", read_effectless},
                                         {"TEE", read_effectless},
                                         {"TCPMSS", read_effectless},
                                         {"TCPOPTSTRIP", read_effectless},
                                         {"LED", read_effectless},
                                         {"RATEEST", read_effectless},
                                         {"IDLETIMER", read_effectless},
                                         {"SECMARK", read_effectless},
                                         {"CONNSECMARK", read_effectless},
                                         {"SET", read_effectless}};

}  // namespace

Steps read_target(const Module& target, const Context& context) {
    using Kind = Decision::Kind;
    if (target.name.empty()) return opaque(target);
    const auto decision = [](Kind kind) { return Steps{Decision{kind, no_index}}; };
    if (target.name == "ACCEPT") return decision(Kind::accept);
    if (target.name == "DROP") return decision(Kind::drop);
    if (target.name == "RETURN") return decision(Kind::back);
    if (target.name == "NFQUEUE" || target.name == "QUEUE") return decision(Kind::queue);
    const auto* known =
        std::find_if(std::begin(known_targets), std::end(known_targets),
                     [&](const KnownTarget& entry) { return entry.name == target.name; });
    return known == std::end(known_targets) ? opaque(target) : known->read(target, context);
}

}  // namespace p2pdiag::firewall::xtables
