#include "routing.hpp"

#include <algorithm>

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

Fate drop(std::string why) { return {Fate::Kind::drop, 0, std::move(why), false, {}}; }

Fate unknown(std::string why, bool circumstantial) {
    return {Fate::Kind::unknown, 0, std::move(why), circumstantial, {}};
}

Fate reject(std::string why, std::string kind) {
    return {Fate::Kind::reject, 0, std::move(why), false, std::move(kind)};
}

// To another machine.
Fate forward(const World& world, const Packet& packet, const State& state) {
    const bool v4 = packet.family() == Family::ipv4;
    if (packet.ttl && *packet.ttl <= 1) return drop("it has come as far as its TTL allows");
    const auto& forwarding = v4 ? world.sysctls.ipv4_forwarding : world.sysctls.ipv6_forwarding;
    if (!forwarding) return unknown("whether this machine forwards packets", false);
    if (!*forwarding) return drop("it is for another machine, and this one does not forward");
    const auto source = exact(state.source, packet.family());
    if (!v4 && source && source->scope() == AddressScope::link_local) {
        return reject("a link-local sender is heard on its own link only", "icmp beyond-scope");
    }
    const Lookup route = find_route(world, state.destination, packet.family());
    if (route.answer == Lookup::Answer::unknown)
        return unknown("where it would be forwarded to", false);
    const bool none = route.answer == Lookup::Answer::none;
    if (none || route.type == Route::Type::unreachable) {
        const std::string kind = none ? (v4 ? "net-unreachable" : "no-route")
                                      : (v4 ? "host-unreachable" : "addr-unreachable");
        return reject("no route leads to it", "icmp " + kind);
    }
    switch (route.type) {
        case Route::Type::unicast: return {Fate::Kind::forward, route.interface, {}, false, {}};
        case Route::Type::blackhole: return drop("a blackhole route swallows it");
        case Route::Type::prohibit: return reject("a route prohibits it", "icmp admin-prohibited");
        default: return unknown("a route of unusual type", false);
    }
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
        if (!route.of_local_table || !covers(route, address)) continue;
        if (best == nullptr || better(route, *best)) best = &route;
    }
    return best != nullptr && best->type == Route::Type::local;
}

Fate destination_fate(const World& world, const Packet& packet, const State& state,
                      const net::Interface& arrival) {
    const Family family = packet.family();
    if (state.goes_to_some_own_address) return {Fate::Kind::local, 0, {}, false, {}};
    const auto address = exact(state.destination, family);
    if (!address) return unknown("which address it is rewritten to", false);
    if (arrival.kind == net::LinkKind::loopback) return {Fate::Kind::local, 0, {}, false, {}};
    if (address->scope() == AddressScope::loopback) {
        return unknown("whether loopback addresses are routed (route_localnet)", false);
    }
    const bool link_local = family == Family::ipv6 && address->scope() == AddressScope::link_local;
    const AddressKind kind =
        kind_of(world, state.destination, family, link_local ? &arrival : nullptr);
    const bool here = kind == AddressKind::local || kind == AddressKind::broadcast;
    if (here && !world.local_first) {
        return unknown("rules of `ip rule` that come before the table local", false);
    }
    if (kind == AddressKind::local && !is_in_local_table(world, *address)) {
        return unknown("an address of this machine that is not in its table local", false);
    }
    switch (kind) {
        case AddressKind::local:
        case AddressKind::broadcast: return {Fate::Kind::local, 0, {}, false, {}};
        case AddressKind::multicast:
            if (is_solicitation_of_ours(world, packet, arrival))
                return {Fate::Kind::local, 0, {}, false, {}};
            return unknown("whether a program here has joined the group", true);
        case AddressKind::unknown:
            return unknown("whether the address is one of this machine", false);
        case AddressKind::unicast: break;
    }
    if (link_local) return drop("the address is valid on another link only");
    return forward(world, packet, state);
}

unsigned rp_filter(const World& world, const std::string& name, bool& known) {
    const auto own = world.sysctls.rp_filter.find(name);
    known = world.sysctls.rp_filter_all.has_value() && own != world.sysctls.rp_filter.end();
    const unsigned all = world.sysctls.rp_filter_all.value_or(0);
    return own == world.sysctls.rp_filter.end() ? all : std::max(all, own->second);
}

// Whoever sends, some route leads back.
bool reaches_everybody(const World& world, Family family) {
    if (!world.routes || world.policy_routing) return false;
    bool everywhere = false;
    for (const Route& route : *world.routes) {
        if (route.destination.family() != family) continue;
        if (route.type == Route::Type::unicast) {
            everywhere = everywhere || route.prefix == 0;
        } else if (route.type != Route::Type::local && route.type != Route::Type::broadcast) {
            return false;
        }
    }
    return everywhere;
}

// fib_validate_source() of the kernel: what it does with a sender's address, besides letting it
// pass.
std::vector<Fate> source_fates(const World& world, const Packet& packet, const State& state,
                               const net::Interface& arrival) {
    const Family family = packet.family();
    const auto source = exact(state.source, family);
    if (source && is_multicast(*source)) return {drop("a multicast address sends nothing")};
    if (family == Family::ipv6) {
        const bool loopback = source && source->scope() == AddressScope::loopback;
        if (loopback) return {drop("a loopback address sends nothing from outside")};
        return {};
    }
    std::vector<Fate> fates;
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
    bool known = false;
    const unsigned filter = rp_filter(world, arrival.name, known);
    // A socket of ours that is connected may short-cut the check.
    const bool short_cut = packet.state != CtState::fresh;
    if (!known) {
        fates.push_back(unknown("the reverse path filter (rp_filter) of " + arrival.name, false));
    } else if (filter == 2 && !source && reaches_everybody(world, family)) {
        return fates;
    } else if (filter != 0) {
        const Lookup route = find_route(world, state.source, family);
        const bool unicast =
            route.answer == Lookup::Answer::found && route.type == Route::Type::unicast;
        const bool same = unicast && route.interface == arrival.index;
        if (route.answer == Lookup::Answer::unknown || (unicast && route.interface == 0)) {
            if (filter == 1 || !unicast) {
                fates.push_back(unknown("whether the way back to the sender leads through " +
                                            arrival.name + " (rp_filter)",
                                        !source.has_value()));
            }
        } else if (filter == 1 ? !same : !unicast) {
            std::string why = "the way back to the sender does not lead through " + arrival.name +
                              " (rp_filter is " + std::to_string(filter) + ")";
            if (short_cut) {
                fates.push_back(unknown(std::move(why), false));
            } else {
                return {drop(std::move(why))};
            }
        }
    }
    return fates;
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
        if (!covers(route, *ip)) continue;
        if (within != nullptr && route.interface != within->index) continue;
        if (route.type == Route::Type::local) return AddressKind::local;
        if (route.type == Route::Type::broadcast) return AddressKind::broadcast;
    }
    return own;
}

Lookup find_route(const World& world, const Known& address, Family family) {
    Lookup lookup;
    const auto ip = exact(address, family);
    if (!ip || !world.routes || world.policy_routing) return lookup;
    const Route* best = nullptr;
    bool several = false;
    for (const Route& route : *world.routes) {
        if (!covers(route, *ip)) continue;
        if (route.type == Route::Type::local || route.type == Route::Type::broadcast) continue;
        const bool equal = best != nullptr && !better(route, *best) && !better(*best, route);
        if (equal) {
            several = several || route.interface != best->interface || route.type != best->type;
        } else if (best == nullptr || better(route, *best)) {
            best = &route;
            several = false;
        }
    }
    if (several) return lookup;
    lookup.answer = best == nullptr ? Lookup::Answer::none : Lookup::Answer::found;
    if (best != nullptr) {
        lookup.type = best->type;
        lookup.interface = best->interface;
    }
    return lookup;
}

Truth reaches(const World& world, const Known& address, Family family, int interface) {
    const auto ip = exact(address, family);
    if (!ip || !world.routes || world.policy_routing) return Truth::maybe;
    for (const Route& route : *world.routes) {
        const bool could = route.interface == interface || route.interface == 0;
        if (could && route.type == Route::Type::unicast && covers(route, *ip)) return Truth::maybe;
    }
    return Truth::no;
}

std::vector<Fate> route_inbound(const World& world, const Packet& packet, const State& state,
                                const net::Interface& arrival) {
    std::vector<Fate> fates;
    if (arrival.kind != net::LinkKind::loopback) {
        fates = source_fates(world, packet, state, arrival);
        const bool ends = !fates.empty() && fates.front().kind != Fate::Kind::unknown;
        if (ends) return fates;
    }
    fates.push_back(destination_fate(world, packet, state, arrival));
    return fates;
}

}  // namespace p2pdiag::firewall
