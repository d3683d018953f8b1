#include <algorithm>
#include <iterator>

#include "base/address.hpp"
#include "base/text.hpp"
#include "iptables_rule.hpp"
#include "literals.hpp"

namespace p2pdiag::firewall::xtables {

namespace {

struct StateWord {
    std::string_view name;
    Bits bits;
};

constexpr StateWord states[] = {{"INVALID", ct_invalid},
                                {"ESTABLISHED", ct_established},
                                {"RELATED", ct_related},
                                {"NEW", ct_new},
                                {"UNTRACKED", ct_untracked}};
// Stand among the states and are none.
constexpr StateWord translations[] = {{"SNAT", status_snat}, {"DNAT", status_dnat}};
constexpr StateWord statuses[] = {{"NONE", 0},
                                  {"EXPECTED", status_expected},
                                  {"SEEN_REPLY", status_seen_reply},
                                  {"ASSURED", 4},  // IPS_ASSURED, IPS_CONFIRMED
                                  {"CONFIRMED", 8}};
// RTN_* of include/uapi/linux/rtnetlink.h.
constexpr StateWord address_types[] = {{"UNSPEC", 0},    {"UNICAST", 1},     {"LOCAL", 2},
                                       {"BROADCAST", 3}, {"ANYCAST", 4},     {"MULTICAST", 5},
                                       {"BLACKHOLE", 6}, {"UNREACHABLE", 7}, {"PROHIBIT", 8}};

template <std::size_t size>
const StateWord* find(const StateWord (&words)[size], std::string_view name) {
    const StateWord* found = std::find_if(std::begin(words), std::end(words),
                                          [&](const StateWord& word) { return word.name == name; });
    return found == std::end(words) ? nullptr : found;
}

// "--ctstate": the state, or that the connection is translated.
struct Wanted {
    Bits states = 0;
    Bits translations = 0;
    bool negated = false;
};

bool read_states(const Option& option, Wanted& wanted) {
    wanted.negated = option.negated;
    for (const std::string_view name : split_list(option.value())) {
        if (const StateWord* state = find(states, name))
            wanted.states |= state->bits;
        else if (const StateWord* other = find(translations, name))
            wanted.translations |= other->bits;
        else
            return false;
    }
    return true;
}

bool read_address_option(const Option& option, Ct field, Conditions& conditions) {
    const Family family = conditions.family();
    const unsigned width = family == Family::ipv4 ? 32 : 128;
    const std::size_t slash = option.value().find('/');
    const auto address = IpAddress::parse(option.value().substr(0, slash));
    const auto length = slash == std::string_view::npos
                            ? std::optional<std::uint32_t>(width)
                            : read_number(option.value().substr(slash + 1));
    if (!address || address->family() != family || !length) return false;
    const auto interval = prefix_interval(to_bits(*address), *length, width);
    if (!interval) return false;
    conditions.require({field, static_cast<std::uint8_t>(width)}, {*interval}, option.negated);
    return true;
}

// Of a connection that is tracked.
bool read_connection(const Option& option, Conditions& conditions) {
    const auto ports = [&](Ct field) {
        const auto range = read_range(option.value(), 65535);
        if (range) conditions.require({field, 16}, {*range}, option.negated);
        return range.has_value();
    };
    if (option.name == "ctproto") {
        const auto number = protocol_number(option.value());
        if (number) conditions.require({Ct::protocol, 8}, {{*number, *number}}, option.negated);
        return number.has_value();
    }
    if (option.name == "ctorigsrc") return read_address_option(option, Ct::source, conditions);
    if (option.name == "ctorigdst") return read_address_option(option, Ct::destination, conditions);
    if (option.name == "ctorigsrcport") return ports(Ct::source_port);
    if (option.name == "ctorigdstport") return ports(Ct::destination_port);
    if (option.name == "ctdir") {
        const Bits direction = option.value() == "REPLY" ? 1 : 0;
        if (direction == 0 && option.value() != "ORIGINAL") return false;
        conditions.require({Ct::direction, 8}, {{direction, direction}}, option.negated);
        return true;
    }
    if (option.name == "ctstatus") {
        Bits mask = 0;
        for (const std::string_view name : split_list(option.value())) {
            const StateWord* status = find(statuses, name);
            if (status == nullptr) return false;
            mask |= status->bits;
        }
        conditions.require_bits({Ct::status, 32}, mask, option.negated);
        return true;
    }
    return false;
}

// The ways for a tracked connection to be in the state that is wanted.
std::vector<Conditions> tracked_ways(const Wanted& wanted, const Conditions& tracked) {
    Conditions in_state = tracked;
    in_state.require_bits({Ct::state, 32}, wanted.states, wanted.negated);
    if (wanted.translations == 0) return {in_state};
    if (wanted.negated) {
        in_state.require_bits({Ct::status, 32}, wanted.translations, true);
        return {in_state};
    }
    Conditions translated = tracked;
    translated.require_bits({Ct::state, 32}, wanted.states, true);
    translated.require_bits({Ct::status, 32}, wanted.translations);
    return {in_state, translated};
}

}  // namespace

// As conntrack_mt() of net/netfilter/xt_conntrack.c: a packet without a connection is asked for its
// state alone, and fails where that is not asked.
bool read_conntrack(const Module& module, Conditions& conditions) {
    std::optional<Wanted> wanted;
    bool understood = true;
    bool others = false;
    Conditions tracked = conditions.fresh();
    require_tracked(tracked);
    for (const Option& option : module.options) {
        if (option.name == "ctstate" || option.name == "state") {
            if (wanted) return false;
            wanted.emplace();
            if (!read_states(option, *wanted)) return false;
        } else {
            others = true;
            if (read_connection(option, tracked)) continue;
            const std::string text = "conntrack --" + printable(option.name);
            tracked.require(Uncertain{{text, option.name == "ctexpire"}});
            understood = understood && option.name == "ctexpire";
        }
    }
    if (!wanted) {
        conditions.require_one_of({tracked});
        return understood;
    }
    if (!others && wanted->translations == 0) {
        conditions.require_bits({Ct::state, 32}, wanted->states, wanted->negated);
        return true;
    }
    Conditions untracked = conditions.fresh();
    require_tracked(untracked, false);
    untracked.require_bits({Ct::state, 32}, wanted->states, wanted->negated);
    std::vector<Conditions> ways = tracked_ways(*wanted, tracked);
    ways.push_back(untracked);
    conditions.require_one_of(ways);
    return true;
}

namespace {

bool read_type_v4(const Option& option, Fib look, Conditions& conditions) {
    std::vector<Interval> types;
    for (const std::string_view name : split_list(option.value())) {
        const StateWord* type = find(address_types, name);
        if (type == nullptr) return false;
        types.push_back({type->bits, type->bits});
    }
    conditions.require({look, 32}, types, option.negated);
    return true;
}

// As match_type6() of net/netfilter/xt_addrtype.c: of IPv6 only "local" is a matter of routing.
bool read_type_v6(const Option& option, Fib look, Conditions& conditions) {
    if (option.value() == "LOCAL" && !look.on_input && !look.on_output) {
        conditions.require({look, 32}, {{2, 2}}, option.negated);
        return true;
    }
    if (option.value() != "MULTICAST" && option.value() != "UNICAST") return false;
    // The first byte of the address; ::, which is neither, sends and receives nothing.
    const Payload first{Base::network, look.of_source ? 64U : 192U, 8, Family::ipv6, std::nullopt};
    conditions.require({first, 8}, {{0xff, 0xff}}, option.negated != (option.value() == "UNICAST"));
    return true;
}

}  // namespace

bool read_addrtype(const Module& module, Conditions& conditions) {
    Fib look;
    for (const Option& option : module.options) {
        if (option.name == "limit-iface-in") look.on_input = true;
        if (option.name == "limit-iface-out") look.on_output = true;
    }
    for (const Option& option : module.options) {
        if (option.name == "limit-iface-in" || option.name == "limit-iface-out") continue;
        look.of_source = option.name == "src-type";
        if (!look.of_source && option.name != "dst-type") return false;
        const bool read = conditions.family() == Family::ipv4
                              ? read_type_v4(option, look, conditions)
                              : read_type_v6(option, look, conditions);
        if (!read) return false;
    }
    return true;
}

}  // namespace p2pdiag::firewall::xtables
