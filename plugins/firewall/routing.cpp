#include "routing.hpp"

#include <algorithm>
#include <utility>

namespace p2pdiag::firewall {

namespace {

// RFC 1122 section 3.2.1.3 and RFC 4291 section 2.7.
bool is_multicast(const IpAddress& address) { return address.scope() == AddressScope::multicast; }

constexpr std::uint32_t limited_broadcast = 0xFFFFFFFF;

// The two addresses that may be a subnet's broadcast; the lower one only with some kernels.
enum class Broadcast : std::uint8_t { no, yes, maybe };

Broadcast broadcast_of(const net::InterfaceAddress& own, const IpAddress& address) {
    if (!own.address.is_v4() || own.prefix == 0 || own.prefix > 30) return Broadcast::no;
    const std::uint32_t hosts = 0xFFFFFFFF >> own.prefix;
    if ((own.address.v4_bits() | hosts) == address.v4_bits()) return Broadcast::yes;
    return (own.address.v4_bits() & ~hosts) == address.v4_bits() ? Broadcast::maybe : Broadcast::no;
}

bool covers(const Route& route, const IpAddress& address) {
    if (route.destination.family() != address.family()) return false;
    const unsigned width = address.is_v4() ? 32 : 128;
    if (route.prefix > width) return false;
    const Bits rest = low_mask(width - route.prefix);
    return (to_bits(route.destination) & ~rest) == (to_bits(address) & ~rest);
}

std::optional<IpAddress> exact(const Known& address, Family family) {
    if (!address.is_exact()) return std::nullopt;
    return to_address(address.value, family);
}

// An address of the machine's own, or of a local route, which is no interface's.
AddressKind own_kind(const World& world, const IpAddress& address, const net::Interface* within) {
    for (const net::Interface& interface : world.interfaces) {
        if (within != nullptr && &interface != within) continue;
        for (const net::InterfaceAddress& own : interface.addresses) {
            if (own.address == address)
                return own.usable ? AddressKind::local : AddressKind::unknown;
            if (!address.is_v4()) continue;
            const Broadcast broadcast = broadcast_of(own, address);
            if (broadcast == Broadcast::yes) return AddressKind::broadcast;
            if (broadcast == Broadcast::maybe) return AddressKind::unknown;
        }
        const bool all_of_it = interface.kind == net::LinkKind::loopback && address.is_v4() &&
                               address.scope() == AddressScope::loopback;
        if (all_of_it) return AddressKind::local;
    }
    return AddressKind::unicast;
}

// The better of two routes that cover an address: longer first, then cheaper.
bool better(const Route& a, const Route& b) {
    return a.prefix != b.prefix ? a.prefix > b.prefix : a.metric < b.metric;
}

Fate drop(std::string why) { return {Fate::Kind::drop, 0, std::move(why), false, {}, {}}; }

Fate unknown(std::string why, bool circumstantial) {
    return {Fate::Kind::unknown, 0, std::move(why), circumstantial, {}, {}};
}

Fate reject(std::string why, std::string kind) {
    return {Fate::Kind::reject, 0, std::move(why), false, std::move(kind), {}};
}

// No way leads on. By IPv6 the sender is told so by machines that do not forward as well.
Fate refused(const Lookup& way, bool v4) {
    const bool by_rule = way.is_refused_by_rule();
    const std::string by = by_rule ? "the rule `" + way.rule + "` of `ip rule`" : "a route";
    if (way.answer == Lookup::Answer::none) {
        return reject(by_rule ? by + " says that it is unreachable" : "no route leads to it",
                      v4 ? "icmp net-unreachable" : "icmp no-route");
    }
    switch (way.type) {
        case Route::Type::blackhole: return drop(by + (by_rule ? " drops it" : " swallows it"));
        case Route::Type::prohibit: return reject(by + " prohibits it", "icmp admin-prohibited");
        default:
            return reject("no route leads to it", v4 ? "icmp host-unreachable" : "icmp no-route");
    }
}

// To another machine.
Fate forward(const World& world, const Packet& packet, const State& state, const Lookup& way) {
    const bool v4 = packet.family() == Family::ipv4;
    if (!v4 && way.leads_nowhere()) return refused(way, v4);
    const bool found = way.answer == Lookup::Answer::found;
    if (found && way.type != Route::Type::unicast && !way.leads_nowhere())
        return unknown("a route of unusual type", false);
    if (packet.ttl && *packet.ttl <= 1) return drop("it has come as far as its TTL allows");
    const auto& forwarding = v4 ? world.sysctls.ipv4_forwarding : world.sysctls.ipv6_forwarding;
    if (!forwarding) return unknown("whether this machine forwards packets", false);
    if (!*forwarding) {
        return drop(way.rule.empty() || way.table != 0
                        ? "it is for another machine, and this one does not forward"
                        : refused(way, v4).why);
    }
    const auto source = exact(state.source, packet.family());
    if (!v4 && source && source->scope() == AddressScope::link_local) {
        return reject("a link-local sender is heard on its own link only", "icmp beyond-scope");
    }
    if (way.answer == Lookup::Answer::unknown)
        return unknown("where it would be forwarded to", false);
    if (way.leads_nowhere()) return refused(way, v4);
    return {Fate::Kind::forward, way.interface, {}, false, {}, {}};
}

// Whoever has an address of IPv6 has joined its solicited-node group, RFC 4861 section 7.2.1.
bool is_solicitation_of_ours(const World& world, const Packet& packet,
                             const net::Interface& arrival) {
    if (!packet.is_neighbour_discovery()) return false;
    // Of a machine that is known by its rules alone.
    if (!world.routes && arrival.addresses.empty()) return true;
    return std::any_of(arrival.addresses.begin(), arrival.addresses.end(), [&](const auto& own) {
        return !own.address.is_v4() && solicited_node(own.address) == packet.destination;
    });
}

// What is told of the address in the table that decides over it.
bool is_in_local_table(const World& world, const IpAddress& address) {
    if (!world.local_table_read || !world.routes) return true;
    const Route* best = nullptr;
    for (const Route& route : *world.routes) {
        if (route.table != net::table_local || !covers(route, address)) continue;
        if (best == nullptr || better(route, *best)) best = &route;
    }
    return best != nullptr && best->type == Route::Type::local;
}

Fate local_fate() { return {Fate::Kind::local, 0, {}, false, {}, {}}; }

// Where the rules and the table that they look up send it.
Fate fate_of(const World& world, const Packet& packet, const State& state, const Lookup& way,
             const std::string& open) {
    if (!world.rules_of(packet.family()))
        return unknown("the rules of `ip rule`, which could not be read", false);
    if (way.answer == Lookup::Answer::unknown && has_own_rules(world, packet.family())) {
        const std::string named = way.rule.empty() ? open : '`' + way.rule + '`';
        return unknown("what is said " + naming_rules(named), false);
    }
    const bool found = way.answer == Lookup::Answer::found;
    if (found && (way.type == Route::Type::local || way.type == Route::Type::broadcast))
        return local_fate();
    return forward(world, packet, state, way);
}

std::vector<Fate> routed_fates(const World& world, const Packet& packet, const State& state,
                               const net::Interface& arrival) {
    const Ways ways = find_ways(world, flow_of(packet, state, arrival));
    std::vector<Fate> fates;
    bool local = false;
    for (const Lookup& way : ways.all) {
        Fate fate = fate_of(world, packet, state, way, ways.open);
        if (fate.kind == Fate::Kind::local && std::exchange(local, true)) continue;
        fate.open_understood = ways.understood;
        if (!ways.open.empty()) fate.open = "whether it applies, " + naming_rules(ways.open);
        fates.push_back(std::move(fate));
    }
    return fates;
}

// To one of its own addresses, whichever.
Fate fate_of_own_addresses(const World& world, const Packet& packet, State state,
                           const net::Interface& arrival) {
    if (is_local_first(world, flow_of(packet, state, arrival))) return local_fate();
    const Fate differs = unknown("rules of `ip rule` that come before the table local", false);
    std::optional<Fate> common;
    for (const net::Interface& link : world.interfaces) {
        for (const net::InterfaceAddress& own : link.addresses) {
            const bool link_local = own.address.scope() == AddressScope::link_local;
            if (own.address.family() != packet.family() || link_local) continue;
            if (link.kind == net::LinkKind::loopback || !own.usable) continue;
            state.destination = {to_bits(own.address), 0};
            state.goes_to_some_own_address = false;
            const std::vector<Fate> fates = routed_fates(world, packet, state, arrival);
            if (fates.size() != 1) return differs;
            const bool same = !common || (common->kind == fates.front().kind &&
                                          common->reject_kind == fates.front().reject_kind);
            if (!same) return differs;
            common = fates.front();
        }
    }
    const bool told = common && common->kind != Fate::Kind::forward;
    return told ? *common : differs;
}

std::vector<Fate> destination_fates(const World& world, const Packet& packet, const State& state,
                                    const net::Interface& arrival) {
    const Family family = packet.family();
    if (arrival.kind == net::LinkKind::loopback) return {local_fate()};
    const std::string before = "rules of `ip rule` that come before the table local";
    const bool in_order = is_local_first(world, flow_of(packet, state, arrival));
    if (state.goes_to_some_own_address)
        return {fate_of_own_addresses(world, packet, state, arrival)};
    const auto address = exact(state.destination, family);
    if (!address) return {unknown("which address it is rewritten to", false)};
    if (address->scope() == AddressScope::loopback) {
        return {unknown("whether loopback addresses are routed (route_localnet)", false)};
    }
    const bool link_local = family == Family::ipv6 && address->scope() == AddressScope::link_local;
    const AddressKind kind =
        kind_of(world, state.destination, family, link_local ? &arrival : nullptr);
    if (kind == AddressKind::multicast) {
        if (!in_order) return {unknown(before, false)};
        if (is_solicitation_of_ours(world, packet, arrival)) return {local_fate()};
        return {unknown("whether a program here has joined the group", true)};
    }
    if (kind == AddressKind::unknown)
        return {unknown("whether the address is one of this machine", false)};
    const bool everywhere = address->is_v4() && (address->v4_bits() == limited_broadcast ||
                                                 address->scope() == AddressScope::unspecified);
    if (everywhere) return {local_fate()};
    if (kind == AddressKind::local && !is_in_local_table(world, *address)) {
        return {unknown("an address of this machine that is not in its table local", false)};
    }
    const bool here = kind == AddressKind::local || kind == AddressKind::broadcast;
    if (here && !has_own_rules(world, family)) return {local_fate()};
    if (link_local) {
        if (!in_order) return {unknown(before, false)};
        return {here ? local_fate() : drop("the address is valid on another link only")};
    }
    return routed_fates(world, packet, state, arrival);
}

// The part of the check of a sender that asks rules and routes.
std::vector<Fate> way_back_fates(const World& world, const Packet& packet, const State& state,
                                 const net::Interface& arrival) {
    if (packet.family() == Family::ipv6) return {};
    bool known = false;
    const unsigned filter = rp_filter(world, arrival.name, known);
    if (!known) return {unknown("the reverse path filter (rp_filter) of " + arrival.name, false)};
    if (filter == 0 && !has_own_rules(world, packet.family())) return {};
    const Ways ways = find_ways(world, flow_back(world, packet, state, arrival));
    bool good = false;
    bool bad = false;
    bool open = false;
    std::string rule;
    for (const Lookup& way : ways.all) {
        const WayBack judged = judge_way_back(way, arrival, filter);
        good = good || judged == WayBack::good;
        bad = bad || judged == WayBack::bad;
        open = open || judged == WayBack::unknown;
        if (judged != WayBack::good) rule = way.rule;
    }
    if (!bad && !open) return {};
    // A socket of ours that is connected may short-cut the check.
    const bool short_cut = packet.state != CtState::fresh;
    const bool surely = bad && !good && !open;
    std::string why = surely ? "the way back to the sender does not lead through " + arrival.name +
                                   " (rp_filter is " + std::to_string(filter) + ")"
                             : "whether the way back to the sender leads through " + arrival.name +
                                   " (rp_filter)";
    if (!ways.open.empty()) {
        why += ", " + naming_rules(ways.open);
    } else if (!rule.empty()) {
        why += ", " + naming_rules('`' + rule + '`');
    }
    if (surely && !short_cut) return {drop(std::move(why))};
    const bool of_sender = !surely && ways.understood && !exact(state.source, packet.family());
    return {unknown(std::move(why), of_sender)};
}

// fib_validate_source() of the kernel: what it does with a sender's address, besides letting it
// pass.
std::vector<Fate> source_fates(const World& world, const Packet& packet, const State& state) {
    const Family family = packet.family();
    const auto source = exact(state.source, family);
    if (source && is_multicast(*source)) return {drop("a multicast address sends nothing")};
    if (family == Family::ipv6) {
        const bool loopback = source && source->scope() == AddressScope::loopback;
        if (loopback) return {drop("a loopback address sends nothing from outside")};
        return {};
    }
    if (source) {
        const AddressKind kind = kind_of(world, state.source, family, nullptr);
        if (kind == AddressKind::local || source->scope() == AddressScope::loopback) {
            return {unknown("whether a sender with an address of this machine is believed", false)};
        }
        if (source->v4_bits() == limited_broadcast)
            return {drop("a broadcast address sends nothing")};
        if (kind != AddressKind::unicast) {
            return {unknown("whether such a sender's address is believed", false)};
        }
    }
    return {};
}

}  // namespace

IpAddress solicited_node(const IpAddress& address) {
    constexpr unsigned kept = 24;
    const Bits prefix = to_bits(*IpAddress::parse("ff02::1:ff00:0"));
    return to_address(prefix | (to_bits(address) & low_mask(kept)), Family::ipv6);
}

AddressKind kind_of(const World& world, const Known& address, Family family,
                    const net::Interface* within) {
    const auto ip = exact(address, family);
    if (!ip) return AddressKind::unknown;
    if (is_multicast(*ip)) return AddressKind::multicast;
    if (ip->is_v4() && ip->v4_bits() == limited_broadcast) return AddressKind::broadcast;
    if (ip->is_v4() && ip->scope() == AddressScope::unspecified) return AddressKind::broadcast;
    const AddressKind own = own_kind(world, *ip, within);
    if (own != AddressKind::unicast || !world.routes) return own;
    for (const Route& route : *world.routes) {
        if (!route.is_of_usual_table() || !covers(route, *ip)) continue;
        if (within != nullptr && route.interface != within->index) continue;
        if (route.type == Route::Type::local) return AddressKind::local;
        if (route.type == Route::Type::broadcast) return AddressKind::broadcast;
    }
    return own;
}

unsigned rp_filter(const World& world, const std::string& name, bool& known) {
    const auto own = world.sysctls.rp_filter.find(name);
    known = world.sysctls.rp_filter_all.has_value() && own != world.sysctls.rp_filter.end();
    const unsigned all = world.sysctls.rp_filter_all.value_or(0);
    return own == world.sysctls.rp_filter.end() ? all : std::max(all, own->second);
}

Flow flow_of(const Packet& packet, const State& state, const net::Interface& arrival) {
    Flow flow = flow_to(state.destination, packet.family());
    flow.from = state.source;
    flow.in = arrival.name;
    flow.mark = state.mark;
    flow.protocol = packet.protocol;
    flow.source_port = state.source_port;
    flow.destination_port = state.destination_port;
    return flow;
}

Flow flow_back(const World& world, const Packet& packet, const State& state,
               const net::Interface& arrival) {
    Flow flow = flow_of(packet, state, arrival);
    std::swap(flow.from, flow.to);
    std::swap(flow.source_port, flow.destination_port);
    // Of a packet that is sent on, the link that it leaves by.
    flow.in.reset();
    const std::vector<Lookup> ways = find_ways(world, flow_of(packet, state, arrival)).all;
    const bool stays = std::all_of(ways.begin(), ways.end(), [](const Lookup& way) {
        return way.answer == Lookup::Answer::found && way.type == Route::Type::local;
    });
    if (state.goes_to_some_own_address || stays) flow.in = "lo";
    const auto counts = world.sysctls.src_valid_mark.find(arrival.name);
    const bool known = counts != world.sysctls.src_valid_mark.end();
    if (known && !counts->second) flow.mark = {0, 0};
    if (!known && state.mark != Known{0, 0}) flow.mark = Known::nothing(32);
    return flow;
}

// __fib_validate_source() of net/ipv4/fib_frontend.c.
WayBack judge_way_back(const Lookup& way, const net::Interface& arrival, unsigned filter) {
    if (way.answer == Lookup::Answer::unknown) return WayBack::unknown;
    if (way.leads_nowhere()) return filter == 0 ? WayBack::good : WayBack::bad;
    if (way.type != Route::Type::unicast) return WayBack::unknown;
    if (way.interface == arrival.index) return WayBack::good;
    const bool has_address = std::any_of(arrival.addresses.begin(), arrival.addresses.end(),
                                         [](const auto& own) { return own.address.is_v4(); });
    const bool strict = filter == 1 || (filter != 0 && !has_address);
    if (!strict) return WayBack::good;
    return way.interface == 0 ? WayBack::unknown : WayBack::bad;
}

Truth reaches(const World& world, const Known& address, Family family, int interface) {
    const auto ip = exact(address, family);
    if (!ip || !world.routes) return Truth::maybe;
    for (const Route& route : *world.routes) {
        const bool could = route.interface == interface || route.interface == 0;
        if (could && route.type == Route::Type::unicast && covers(route, *ip)) return Truth::maybe;
    }
    return Truth::no;
}

std::vector<Fate> route_inbound(const World& world, const Packet& packet, const State& state,
                                const net::Interface& arrival) {
    if (arrival.kind == net::LinkKind::loopback)
        return destination_fates(world, packet, state, arrival);
    std::vector<Fate> fates = source_fates(world, packet, state);
    const bool ends = !fates.empty() && fates.front().kind != Fate::Kind::unknown;
    if (ends) return fates;
    // Where nothing leads on, the kernel does not come to ask for the way back.
    for (Fate& fate : destination_fates(world, packet, state, arrival)) {
        const bool goes_on = fate.kind != Fate::Kind::drop && fate.kind != Fate::Kind::reject;
        std::vector<Fate> checked;
        if (goes_on && fates.empty()) checked = way_back_fates(world, packet, state, arrival);
        const bool stopped = !checked.empty() && checked.front().kind == Fate::Kind::drop;
        for (Fate& check : checked) {
            check.open = fate.open;
            check.open_understood = fate.open_understood;
            fates.push_back(std::move(check));
        }
        if (!stopped) fates.push_back(std::move(fate));
    }
    return fates;
}

}  // namespace p2pdiag::firewall
