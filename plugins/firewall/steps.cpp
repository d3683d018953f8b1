// The part of Walker that does what single statements do.
#include <algorithm>

#include "headers.hpp"
#include "literals.hpp"
#include "walk.hpp"

namespace p2pdiag::firewall {

namespace {

// 32 bits, as the kernel keeps marks.
Known as_mark(const Known& value) {
    return {value.value & low_mask(32) & ~value.unknown, value.unknown & low_mask(32)};
}

std::string to_text(const Known& mark) {
    return mark.is_exact() ? std::to_string(static_cast<std::uint64_t>(mark.value)) : "?";
}

unsigned address_width(const Packet& packet) { return packet.family() == Family::ipv4 ? 32 : 128; }

// The kernel notes a translation only where it changes something.
void note_change(State& state, Bits bit, const Known& before, const Known& after) {
    if (before == after && before.is_exact()) return;
    const bool differs = ((before.value ^ after.value) & ~(before.unknown | after.unknown)) != 0;
    if (differs) {
        state.status.value |= bit;
        state.status.unknown &= ~bit;
    } else if ((state.status.value & bit) == 0) {
        state.status.unknown |= bit;
    }
}

}  // namespace

bool Walker::follow_map(const VerdictMap& map, State& state, unsigned depth, Exits& exits) {
    const Values::Looked looked = values_.look(map.lookup, state);
    const std::uint64_t unknown = values_.take_unknown();
    if (looked.breaks == Truth::yes || looked.found.is_miss()) {
        merge(exits.next, state);
        return false;
    }
    const Found& found = looked.found;
    const bool branches =
        found.may_miss || looked.breaks == Truth::maybe || found.any_value || found.hits.size() > 1;
    if (branches) {
        state.reasons |= unknown;
        uncertain_ = true;
    }
    if (found.may_miss || looked.breaks == Truth::maybe) merge(exits.next, state);
    if (found.any_value) {
        ++events_;
        ++endings_;
        findings_.give_up(state, findings_.reasons.add("what a verdict map gives", false));
        return false;
    }
    if (branches) state.ordinary = false;
    // At most one of them can go on behind the map: those that do not end the rule are the same.
    bool goes_on = false;
    for (const std::uint32_t hit : found.hits) {
        const auto& decision = looked.set->values[hit].decision;
        State branch = state;
        if (!decision) {
            give_up({"what a verdict map gives", false}, state);
        } else if (decide(*decision, branch, depth, exits)) {
            goes_on = true;
        }
    }
    return goes_on;
}

bool Walker::reject(const Reject& step, State& state, Exits& exits) {
    const bool other_family = step.family && *step.family != packet_.family();
    const bool other_protocol = step.protocol && *step.protocol != packet_.protocol;
    if (other_family || other_protocol) {
        merge(exits.next, state);
        return false;
    }
    trace(state, "reject", here_);
    stop(Ending::Kind::rejected, state, step.kind);
    return false;
}

bool Walker::set_mark(const SetMark& step, State& state, Exits& exits) {
    const Value value = values_.read(step.value, state);
    const Known mark = as_mark(value.known);
    if (mark.is_exact() && value.breaks == Truth::no) values_.take_unknown();
    if (!maybe_go_on(value.breaks, state, exits)) return false;
    if (!step.of_connection) {
        state.mark = mark;
    } else if (state.tracking == Tracking::tracked && packet_.state != CtState::invalid) {
        state.connection_mark = mark;
    }
    trace(state, (step.of_connection ? "connection mark " : "mark ") + to_text(mark), here_);
    return true;
}

bool Walker::set_payload(const SetPayload& step, State& state, Exits& exits) {
    const Payload& where = step.where;
    const bool absent = (where.family && *where.family != packet_.family()) ||
                        (where.protocol && *where.protocol != packet_.protocol);
    if (absent) {
        merge(exits.next, state);
        return false;
    }
    if (is_identity(packet_, where)) {
        give_up({"a rule that rewrites " + describe(packet_, where), false}, state);
        return false;
    }
    // It breaks the rule off where the packet ends before.
    const bool inside =
        where.base != Base::link && !read_header(packet_, state, where).may_be_absent;
    if (!inside)
        state.reasons |=
            findings_.reasons.add("whether " + describe(packet_, where) + " is there", true);
    if (where.base != Base::link) state.header_written = true;
    return maybe_go_on(inside ? Truth::no : Truth::maybe, state, exits);
}

bool Walker::update_set(const UpdateSet& step, State& state, Exits& exits) {
    const Set& set = ruleset_->sets[step.set];
    const Values::Looked looked = values_.look({step.key, step.set}, state);
    values_.take_unknown();
    values_.touch(step.set);
    if (looked.breaks == Truth::yes) {
        merge(exits.next, state);
        return false;
    }
    const bool has_room = looked.found.is_hit() || (set.capacity > 0 && set.size() < set.capacity);
    const bool sure = looked.breaks == Truth::no && (step.removes || (has_room && !step.limited));
    if (sure) return true;
    state.reasons |= findings_.reasons.add("the set " + set.name + ", which the rule fills", true);
    return match(Truth::maybe, state, exits);
}

bool Walker::read_target(const Translate& step, Known& address, Known& port, State& state,
                         Exits& exits) {
    const unsigned width = address_width(packet_);
    if (step.address) {
        const Value value = values_.read(*step.address, state);
        address = value.known;
        if (!address.is_exact()) address = Known::nothing(width);
        if (!value.others.empty()) {
            port = value.others.front().is_exact() ? value.others.front() : Known::nothing(16);
        }
        if (!maybe_go_on(value.breaks, state, exits)) return false;
    }
    if (step.address_range || step.keeps_low_bits) address = Known::nothing(width);
    if (step.port) {
        const Value value = values_.read(*step.port, state);
        port = value.known.is_exact() ? value.known : Known::nothing(16);
        if (!maybe_go_on(value.breaks, state, exits)) return false;
    }
    if (step.port_range) port = Known::nothing(16);
    values_.take_unknown();
    return true;
}

bool Walker::translate(const Translate& step, State& state, Exits& exits) {
    if (step.family && *step.family != packet_.family()) return true;
    if (base_->type != ChainType::nat) {
        give_up({"a translation outside a nat chain", false}, state);
        return false;
    }
    const bool of_source =
        step.kind == Translate::Kind::source || step.kind == Translate::Kind::masquerade;
    const bool at_start = stage_.hook == Hook::prerouting || stage_.hook == Hook::output;
    if (of_source == at_start) {
        give_up({"a translation at the wrong hook", false}, state);
        return false;
    }
    Known& address = of_source ? state.source : state.destination;
    Known& port = of_source ? state.source_port : state.destination_port;
    const Known old_address = address;
    const Known old_port = port;
    Known new_address = address;
    Known new_port = port;
    if (step.kind == Translate::Kind::masquerade)
        new_address = Known::nothing(address_width(packet_));
    if (step.kind == Translate::Kind::redirect && !redirect(new_address, state)) return false;
    if (!read_target(step, new_address, new_port, state, exits)) return false;
    const bool elsewhere =
        step.kind == Translate::Kind::destination && (step.address || step.address_range);
    if (elsewhere) state.goes_to_some_own_address = false;
    address = new_address;
    // The kernel takes another source port when two connections would look alike.
    port = of_source ? Known::nothing(16) : new_port;
    const Bits bit = of_source ? status_snat : status_dnat;
    note_change(state, bit, old_address, address);
    note_change(state, bit, old_port, of_source ? new_port : port);
    (of_source ? state.source_settled : state.destination_settled) = true;
    const std::string to =
        state.destination_port.is_exact() ? to_text(state.destination_port) : "?";
    trace(state, of_source ? "source rewritten" : "destination rewritten, port " + to, here_);
    accept(state, exits);
    return false;
}

// To the address that the interface has; false when the kernel drops the packet for want of one.
bool Walker::redirect(Known& address, State& state) {
    const Family family = packet_.family();
    if (stage_.in == nullptr) {
        address = {
            to_bits(family == Family::ipv4 ? IpAddress::v4(0x7F000001) : *IpAddress::parse("::1")),
            0};
        return true;
    }
    std::vector<IpAddress> own;
    for (const net::InterfaceAddress& candidate : stage_.in->addresses) {
        if (candidate.address.family() == family) own.push_back(candidate.address);
    }
    if (own.empty() && !packet_.goes_to_some_own_address()) {
        trace(state, "drop: the interface has no address to redirect to", here_);
        stop(Ending::Kind::dropped, state);
        return false;
    }
    address = Known::nothing(address_width(packet_));
    if (own.size() == 1) address = {to_bits(own.front()), 0};
    state.goes_to_some_own_address = true;
    return true;
}

}  // namespace p2pdiag::firewall
