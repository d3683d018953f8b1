// The part of Values that computes, and asks sets, maps and routing tables.
#include <algorithm>
#include <array>

#include "routing.hpp"
#include "values.hpp"

namespace p2pdiag::firewall {

namespace {

Known known_of(const Interval& interval) {
    return interval.low == interval.high ? Known{interval.low, 0} : Known::nothing(128);
}

Truth to_truth(const Found& found) {
    if (found.is_hit()) return Truth::yes;
    return found.is_miss() ? Truth::no : Truth::maybe;
}

Truth no_worse(Truth broken, Truth part) {
    if (broken == Truth::yes || part == Truth::yes) return Truth::yes;
    return broken == Truth::maybe ? broken : part;
}

Known combine(Arithmetic::Operation operation, const Known& a, const Known& b, std::uint8_t width) {
    using Operation = Arithmetic::Operation;
    Known result;
    switch (operation) {
        case Operation::bit_and:
            // A known 0 on either side makes a known 0.
            result.unknown = (a.unknown | b.unknown) & a.most() & b.most();
            result.value = a.value & b.value;
            break;
        case Operation::bit_or:
            result.unknown = (a.unknown & ~b.value) | (b.unknown & ~a.value);
            result.value = a.value | b.value;
            break;
        case Operation::bit_xor:
            result.unknown = a.unknown | b.unknown;
            result.value = a.value ^ b.value;
            break;
        default:
            if (!b.is_exact() || b.value >= 128) return Known::nothing(width);
            if (operation == Operation::shift_left) {
                result = {a.value << static_cast<unsigned>(b.value),
                          a.unknown << static_cast<unsigned>(b.value)};
            } else {
                result = {a.value >> static_cast<unsigned>(b.value),
                          a.unknown >> static_cast<unsigned>(b.value)};
            }
    }
    result.unknown &= low_mask(width);
    result.value &= low_mask(width) & ~result.unknown;
    return result;
}

}  // namespace

// As nft_fib4_eval() and nft_fib6_eval() ask. Whether they tell protocol and ports is left open.
Flow Values::flow_of(const Fib& fib, const State& state) const {
    const Known nothing = Known::nothing(packet_.family() == Family::ipv4 ? 32 : 128);
    const Known destination = state.goes_to_some_own_address ? nothing : state.destination;
    Flow flow = flow_to(fib.of_source ? state.source : destination, packet_.family());
    flow.from = fib.of_source ? destination : state.source;
    // Of a packet that is sent on it may be where it leaves.
    if (stage_.out == nullptr) flow.in = "lo";
    flow.by_a_program = true;
    flow.mark = fib.with_mark ? state.mark : Known{0, 0};
    return flow;
}

Value Values::read_fib_interface(const Fib& fib, const State& state, const net::Interface* within) {
    const Family family = packet_.family();
    const Known& address = fib.of_source ? state.source : state.destination;
    const bool asks_presence = fib.result == Fib::Result::exists;
    const std::uint8_t width = asks_presence ? 1 : 128;
    const std::string what = "what the routing tables say of an address";
    const bool loops = stage_.in != nullptr && stage_.in->kind == net::LinkKind::loopback;
    if (loops || stage_.in == nullptr) return unknown(width, what, false);
    // The kernel looks only for ways to other machines: an address of its own counts as missing.
    const AddressKind kind = kind_of(world_, address, family, nullptr);
    if (kind == AddressKind::local) return exactly(0);
    if (kind != AddressKind::unicast) return unknown(width, what, false);
    const Lookup route = find_way(world_, flow_of(fib, state));
    if (route.answer == Lookup::Answer::none) return exactly(0);
    if (route.answer == Lookup::Answer::unknown || route.type != Route::Type::unicast ||
        route.interface == 0) {
        return unknown(width, what, false);
    }
    const net::Interface* out = world_.find_interface(route.interface);
    if (out == nullptr) return unknown(width, what, false);
    if (within != nullptr && out != within) {
        // IPv6 takes the best of the routes through this interface instead.
        const bool none =
            family == Family::ipv4 || reaches(world_, address, family, within->index) == Truth::no;
        return none ? exactly(0) : unknown(width, what, false);
    }
    return exactly(asks_presence ? Bits{1} : name_bits(out->name));
}

Value Values::read_map(const MapLookup& lookup, const State& state) {
    const Looked looked = look(lookup, state);
    Value value;
    value.breaks = no_worse(looked.breaks, !to_truth(looked.found));
    const bool one = looked.found.hits.size() == 1 && !looked.found.any_value;
    const Datum* datum = one ? &looked.set->values[looked.found.hits.front()] : nullptr;
    if (datum == nullptr || datum->values.empty()) {
        if (value.breaks != Truth::yes) note("what a map gives", false);
        value.known = Known::nothing(128);
        return value;
    }
    value.known = known_of(datum->values.front());
    for (std::size_t i = 1; i < datum->values.size(); ++i) {
        value.others.push_back(known_of(datum->values[i]));
    }
    if (!value.known.is_exact()) note("what a map gives", false);
    return value;
}

// Where nothing else is the reason, it is the set.
void Values::note_set(const Set& set) {
    if (unknown_ != 0) return;
    const bool is_named = set.table != no_index;
    if (set.has_unread) {
        note(is_named           ? "what is in the set " + set.name
             : set.name.empty() ? "what is in a set"
                                : set.name,
             false);
    } else {
        note("what is in " + (is_named ? "the set " + set.name : "a set") + " at that time", true);
    }
}

Values::Looked Values::look(const MapLookup& lookup, const State& state) {
    Looked looked;
    looked.set = &ruleset_->sets[lookup.set];
    std::vector<Known> key;
    key.reserve(lookup.key.size());
    for (const Expression& part : lookup.key) {
        const Value value = read(part, state);
        looked.breaks = no_worse(looked.breaks, value.breaks);
        key.push_back(value.known);
    }
    if (looked.breaks == Truth::yes) return looked;
    looked.found = look_up(*looked.set, key);
    if (touched_.contains({ruleset_, lookup.set})) {
        looked.found.may_miss = looked.found.may_hit = looked.found.any_value = true;
    }
    if (to_truth(looked.found) == Truth::maybe || looked.found.any_value) {
        const bool understood = !looked.set->has_unread;
        const std::string name = looked.set->name.empty() ? "a set" : "the set " + looked.set->name;
        if (unknown_ == 0) note("whether " + name + " has its key in time", understood);
    }
    return looked;
}

// A link without a name is any that leads elsewhere, and so is not loopback.
bool Values::asks_for_loopback(const Match& match, const Set& set) const {
    const auto* meta =
        match.left.size() == 1 ? std::get_if<Meta>(&match.left.front().form) : nullptr;
    if (meta == nullptr) return false;
    const bool of_in = *meta == Meta::iif || *meta == Meta::iifname;
    const bool of_out = stage_.out_known && (*meta == Meta::oif || *meta == Meta::oifname);
    const net::Interface* link = of_in ? stage_.in : of_out ? stage_.out : nullptr;
    if (link == nullptr || !link->name.empty()) return false;
    const Bits loopback = name_bits("lo");
    return set.size() == 1 && !set.has_others && !set.has_unread &&
           set.bounds.front() == Interval{loopback, loopback};
}

Truth Values::test(const Match& match, const State& state) {
    if (match.how != Match::How::in_set) {
        const Value left = read(match.left.front(), state);
        if (left.breaks == Truth::yes) return Truth::no;
        const Truth any = left.known.any_of(match.mask);
        const Truth holds = match.how == Match::How::any_bit ? any : !any;
        return left.breaks == Truth::maybe && holds == Truth::yes ? Truth::maybe : holds;
    }
    const Set& set = ruleset_->sets[match.set];
    std::array<Known, 16> key;
    Truth breaks = Truth::no;
    for (std::size_t i = 0; i < match.left.size() && i < key.size(); ++i) {
        const Value left = read(match.left[i], state);
        breaks = no_worse(breaks, left.breaks);
        key[i] = left.known;
    }
    if (breaks == Truth::yes) return Truth::no;
    const bool touched = touched_.contains({ruleset_, match.set});
    const Found found = look_up(set, std::span(key).first(std::min(match.left.size(), key.size())));
    Truth hit = touched ? Truth::maybe : to_truth(found);
    if (hit == Truth::maybe && asks_for_loopback(match, set)) hit = Truth::no;
    if (hit == Truth::maybe) note_set(set);
    const Truth holds = match.negated ? !hit : hit;
    return breaks == Truth::maybe && holds == Truth::yes ? Truth::maybe : holds;
}

Value Values::read_arithmetic(const Arithmetic& arithmetic, std::uint8_t width,
                              const State& state) {
    Value result = read(arithmetic.operands.front(), state);
    for (std::size_t i = 1; i < arithmetic.operands.size(); ++i) {
        const Value next = read(arithmetic.operands[i], state);
        result.breaks = no_worse(result.breaks, next.breaks);
        result.known = combine(arithmetic.operation, result.known, next.known, width);
    }
    result.others.clear();
    return result;
}

}  // namespace p2pdiag::firewall
