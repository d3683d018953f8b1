#include "values.hpp"

#include <algorithm>

#include "headers.hpp"
#include "literals.hpp"
#include "routing.hpp"

namespace p2pdiag::firewall {

namespace {

// ARPHRD_* of include/uapi/linux/if_arp.h
constexpr unsigned arphrd_ether = 1;
constexpr unsigned arphrd_loopback = 772;

// RTN_LOCAL of include/uapi/linux/rtnetlink.h
constexpr unsigned fib_local = 2;

// NFPROTO_* of include/uapi/linux/netfilter.h
constexpr unsigned nfproto_ipv4 = 2;
constexpr unsigned nfproto_netdev = 5;
constexpr unsigned nfproto_ipv6 = 10;

Value broken() { return {{}, Truth::yes, {}}; }

// nft_fib6_eval_type() of the kernel calls it unicast then: the address that a route is to, of all
// zeros, may be anycast.
bool has_ipv6_route(const World& world, const Flow& flow) {
    const Lookup route = find_way(world, flow);
    if (route.answer != Lookup::Answer::found || route.type != Route::Type::unicast) return false;
    const IpAddress ip = to_address(flow.to.value, Family::ipv6);
    return std::none_of(world.routes->begin(), world.routes->end(),
                        [&](const Route& known) { return known.destination == ip; });
}

}  // namespace

void Values::enter(const Ruleset& ruleset, const Chain& chain, const Stage& stage) {
    ruleset_ = &ruleset;
    family_ = ruleset.tables[chain.table].family;
    stage_ = stage;
}

void Values::touch(std::uint32_t set) { touched_.insert({ruleset_, set}); }

std::uint64_t Values::take_unknown() { return std::exchange(unknown_, 0); }

void Values::note(std::string what, bool circumstantial) {
    unknown_ |= reasons_.add(std::move(what), circumstantial);
}

Value Values::unknown(std::uint8_t width, std::string what, bool circumstantial) {
    note(std::move(what), circumstantial);
    return {Known::nothing(width), Truth::no, {}};
}

Value Values::read(const Expression& expression, const State& state) {
    const auto width = expression.width;
    if (const auto* constant = std::get_if<Bits>(&expression.form)) return exactly(*constant);
    if (const auto* payload = std::get_if<Payload>(&expression.form))
        return read_payload(*payload, state);
    if (const auto* meta = std::get_if<Meta>(&expression.form)) return read_meta(*meta, state);
    if (const auto* ct = std::get_if<Ct>(&expression.form)) return read_ct(*ct, width, state);
    if (const auto* fib = std::get_if<Fib>(&expression.form)) return read_fib(*fib, state);
    if (const auto* arithmetic = std::get_if<Arithmetic>(&expression.form)) {
        return read_arithmetic(*arithmetic, width, state);
    }
    if (const auto* map = std::get_if<MapLookup>(&expression.form)) return read_map(*map, state);
    if (const auto* absent = std::get_if<Absent>(&expression.form)) {
        return absent->presence && absent->family == packet_.family() ? exactly(0) : broken();
    }
    const auto& unknowable = std::get<Unknowable>(expression.form);
    if (unknowable.protocol && *unknowable.protocol != packet_.protocol) return broken();
    Value value = unknown(width, unknowable.what, unknowable.circumstantial);
    value.breaks = Truth::maybe;
    return value;
}

Value Values::read_payload(const Payload& payload, const State& state) {
    if (payload.family && *payload.family != packet_.family()) return broken();
    if (payload.protocol && *payload.protocol != packet_.protocol) return broken();
    const Bitfield field = read_header(packet_, state, payload);
    // Whether it matters is for the comparison to say.
    if (!field.bits.is_exact()) {
        const bool open = payload.base != Base::link;
        note(describe(packet_, payload), open);
    }
    return {field.bits, field.may_be_absent ? Truth::maybe : Truth::no, {}};
}

Value Values::name_of(const net::Interface* interface, bool known) {
    if (!known) return unknown(128, "the interface it leaves by", false);
    if (interface == nullptr) return exactly(0);
    if (interface->name.empty()) return unknown(128, "the interface", true);
    return exactly(name_bits(interface->name));
}

Value Values::read_link_type(const net::Interface* interface, bool known) {
    if (!known) return unknown(16, "the interface it leaves by", false);
    if (interface == nullptr) return broken();
    switch (interface->kind) {
        case net::LinkKind::loopback: return exactly(arphrd_loopback);
        case net::LinkKind::ethernet:
        case net::LinkKind::wifi:
        case net::LinkKind::bridge: return exactly(arphrd_ether);
        default: return unknown(16, "the interface's link type", false);
    }
}

Value Values::read_meta(Meta key, const State& state) {
    const bool v4 = packet_.family() == Family::ipv4;
    switch (key) {
        case Meta::iif:
        case Meta::iifname: return name_of(stage_.in, true);
        case Meta::oif:
        case Meta::oifname: return name_of(stage_.out, stage_.out_known);
        case Meta::iiftype: return read_link_type(stage_.in, true);
        case Meta::oiftype: return read_link_type(stage_.out, stage_.out_known);
        case Meta::mark:
            if (!state.mark.is_exact()) note("the packet's mark", false);
            return {state.mark, Truth::no, {}};
        case Meta::nfproto:
            if (family_ == TableFamily::netdev) return exactly(nfproto_netdev);
            return exactly(v4 ? nfproto_ipv4 : nfproto_ipv6);
        case Meta::l4proto: return exactly(packet_.protocol);
        case Meta::protocol: return exactly(v4 ? 0x0800U : 0x86DDU);
        case Meta::pkttype: {
            if (packet_.goes_to_some_own_address()) return exactly(0);
            const bool loopback =
                stage_.in == nullptr || stage_.in->kind == net::LinkKind::loopback;
            const Known original = {to_bits(packet_.destination), 0};
            const AddressKind kind = kind_of(world_, original, packet_.family(), nullptr);
            if (loopback || kind == AddressKind::unknown)
                return unknown(8, "the packet's type", false);
            if (kind == AddressKind::multicast) return exactly(2);
            return exactly(kind == AddressKind::broadcast ? 1 : 0);
        }
        case Meta::length:
            if (!packet_.length) return unknown(32, "the packet's length", true);
            return exactly(*packet_.length);
    }
    return broken();
}

Value Values::read_ct(Ct key, std::uint8_t width, const State& state) {
    const bool tracked = state.tracking == Tracking::tracked && packet_.state != CtState::invalid;
    if (key == Ct::state) {
        if (state.tracking == Tracking::untracked) return exactly(ct_untracked);
        if (!tracked) return exactly(ct_invalid);
        switch (packet_.state) {
            case CtState::fresh: return exactly(ct_new);
            case CtState::established: return exactly(ct_established);
            case CtState::related: return exactly(ct_related);
            default: return exactly(ct_invalid);
        }
    }
    if (!tracked) return broken();
    const bool v4 = packet_.family() == Family::ipv4;
    switch (key) {
        case Ct::status:
            if (!state.status.is_exact()) note("the connection's status", true);
            return {state.status, Truth::no, {}};
        case Ct::mark:
            if (!state.connection_mark.is_exact()) note("the connection's mark", true);
            return {state.connection_mark, Truth::no, {}};
        case Ct::l3proto: return exactly(v4 ? nfproto_ipv4 : nfproto_ipv6);
        case Ct::protocol: return exactly(packet_.protocol);
        case Ct::direction:
            if (packet_.state == CtState::fresh || packet_.part == Part::later) return exactly(0);
            if (packet_.part == Part::answer) return exactly(1);
            if (packet_.state == CtState::established && packet_.direction == Direction::in) {
                return exactly(1);
            }
            return unknown(8, "the packet's direction within its connection", true);
        default: return read_ct_tuple(key, width, state);
    }
}

// Of the connection's first packet, before any rewriting.
Value Values::read_ct_tuple(Ct key, std::uint8_t width, const State& state) {
    const bool is_address = key == Ct::source || key == Ct::destination;
    if (is_address && (width == 32) != (packet_.family() == Family::ipv4)) return broken();
    const std::string what = "the connection's first packet";
    if (packet_.state != CtState::fresh || state.header_written) return unknown(width, what, true);
    switch (key) {
        case Ct::source:
            if (!packet_.source) note("the sender's address", true);
            return {packet_.source_bits(), Truth::no, {}};
        case Ct::destination:
            if (packet_.goes_to_some_own_address()) return unknown(width, "the address", true);
            return exactly(to_bits(packet_.destination));
        case Ct::source_port:
            if (!packet_.source_port) return unknown(width, "the sender's port", true);
            return exactly(*packet_.source_port);
        default: return exactly(packet_.destination_port);
    }
}

Value Values::read_fib(const Fib& fib, const State& state) {
    const Known& address = fib.of_source ? state.source : state.destination;
    const net::Interface* within = nullptr;
    if (fib.on_input) within = stage_.in;
    if (fib.on_output) within = stage_.out;
    const bool own = state.goes_to_some_own_address && !fib.of_source;
    if (own && fib.result == Fib::Result::type && !fib.on_input && !fib.on_output) {
        return exactly(fib_local);
    }
    const bool nowhere = (fib.on_input || fib.on_output) && within == nullptr;
    if (nowhere || !address.is_exact() || own) {
        return unknown(128, fib.of_source ? "the sender's address" : "the address", true);
    }
    if (fib.result != Fib::Result::type) return read_fib_interface(fib, state, within);
    // By IPv6 the rules are asked for the type as well; by IPv4 the table local is.
    if (packet_.family() == Family::ipv6 && !is_local_first(world_, flow_of(fib, state)))
        return unknown(32, "what kind of address it is here", false);
    switch (kind_of(world_, address, packet_.family(), within)) {
        case AddressKind::local: return exactly(fib_local);
        case AddressKind::broadcast: return exactly(3);
        case AddressKind::multicast: return exactly(5);
        case AddressKind::unicast:
            // Without a route IPv6 says something else.
            if (packet_.family() == Family::ipv4) return exactly(1);
            if (within == nullptr && has_ipv6_route(world_, flow_of(fib, state))) return exactly(1);
            break;
        case AddressKind::unknown: break;
    }
    return unknown(32, "what kind of address it is here", false);
}

}  // namespace p2pdiag::firewall
