#include "net/portmap/discovery_parts.hpp"

#include <algorithm>

namespace p2pdiag::net::portmap {

namespace {

// More than any machine that is diagnosed has; a container host may.
constexpr std::size_t max_links = 32;
constexpr std::size_t max_gateways = 16;

// With MX 1 a router may take a second to answer; this is for finding out what it is.
constexpr Milliseconds grace{200};

const Interface* find_interface(const LocalNetwork& network, int index) {
    const auto& all = network.interfaces;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.index == index; });
    return found == all.end() ? nullptr : &*found;
}

bool is_searched(const LocalNetwork& network, const Interface& link) {
    if (!link.working() || link.kind == LinkKind::loopback) return false;
    const Interface* const master = find_interface(network, link.master);
    return master == nullptr || master->kind != LinkKind::bridge;
}

bool same_network(const InterfaceAddress& local, const IpAddress& other) {
    if (local.address.family() != other.family()) return false;
    for (unsigned bit = 0; bit < local.prefix; ++bit) {
        const auto difference = local.address.bytes()[bit / 8] ^ other.bytes()[bit / 8];
        if ((difference << (bit % 8) & 0x80) != 0) return false;
    }
    return true;
}

// The first address of the link for which `fits` holds.
template <class Predicate>
std::optional<IpAddress> find_address(const Interface& link, Predicate fits) {
    for (const InterfaceAddress& one : link.addresses) {
        if (one.usable && fits(one)) return one.address;
    }
    return std::nullopt;
}

std::optional<IpAddress> with_scope(const Interface& link, Family family, AddressScope scope) {
    return find_address(link, [&](const InterfaceAddress& one) {
        return one.address.family() == family && one.address.scope() == scope;
    });
}

std::optional<IpAddress> source_to_internet(const LocalNetwork& network, const Interface& link,
                                            Family family) {
    for (const Route& route : network.to_internet) {
        const bool here = route.interface == link.index && route.source;
        if (here && route.source->family() == family) return route.source;
    }
    return std::nullopt;
}

LinkAddresses addresses_of(const LocalNetwork& network, const Interface& link) {
    LinkAddresses result;
    result.interface = link.index;
    result.ipv4 = source_to_internet(network, link, Family::ipv4);
    if (!result.ipv4) {
        result.ipv4 =
            find_address(link, [](const InterfaceAddress& one) { return one.address.is_v4(); });
    }
    // Of several IPv6 addresses the kernel prefers one, often a temporary one.
    const auto preferred = source_to_internet(network, link, Family::ipv6);
    if (preferred && preferred->is_public()) result.ipv6 = preferred;
    if (!result.ipv6) result.ipv6 = with_scope(link, Family::ipv6, AddressScope::public_use);
    return result;
}

// The address that the gateway sees. PCP makes the mapping for it.
std::optional<IpAddress> local_towards(const Interface& link, const LinkAddresses& addresses,
                                       const IpAddress& gateway) {
    if (gateway.is_v4()) {
        const auto near = find_address(
            link, [&](const InterfaceAddress& one) { return same_network(one, gateway); });
        return near ? near : addresses.ipv4;
    }
    if (addresses.ipv6) return addresses.ipv6;
    const auto unique = with_scope(link, Family::ipv6, AddressScope::private_use);
    return unique ? unique : with_scope(link, Family::ipv6, AddressScope::link_local);
}

class Collector {
public:
    explicit Collector(const LocalNetwork& network) : network_(network) {}

    SearchTargets run() {
        for (const Interface& link : network_.interfaces) {
            if (is_searched(network_, link)) add_link(link);
        }
        for (const DefaultRoute& route : network_.routes) {
            if (route.gateway) add_gateway(*route.gateway, route.interface);
        }
        // Where a VPN program has rules of its own, the main table does not tell everything.
        for (const Route& route : network_.to_internet) {
            if (route.gateway) add_gateway(*route.gateway, route.interface);
        }
        return std::move(targets_);
    }

private:
    void add_link(const Interface& link) {
        const LinkAddresses addresses = addresses_of(network_, link);
        targets_.addresses.push_back(addresses);
        add_search(link, addresses.ipv4);
        add_search(link, addresses.ipv6);
        add_search(link, with_scope(link, Family::ipv6, AddressScope::link_local));
    }

    void add_search(const Interface& link, const std::optional<IpAddress>& local) {
        if (!local || targets_.links.size() >= max_links) return;
        targets_.links.push_back({link.index, *local, {}});
    }

    bool is_preferred(const IpAddress& gateway, int interface) const {
        const auto& ways = network_.to_internet;
        return std::any_of(ways.begin(), ways.end(), [&](const Route& way) {
            return way.gateway == gateway && way.interface == interface;
        });
    }

    void add_gateway(const IpAddress& gateway, int interface) {
        const auto& known = targets_.gateways;
        const bool again = std::any_of(known.begin(), known.end(), [&](const auto& one) {
            return one.address == gateway && one.interface == interface;
        });
        const Interface* const link = find_interface(network_, interface);
        if (again || link == nullptr || !link->working() || known.size() >= max_gateways) return;
        const auto local = local_towards(*link, addresses_of(network_, *link), gateway);
        if (!local) return;
        GatewayReport report;
        report.address = gateway;
        report.interface = interface;
        report.interface_name = link->name;
        report.local = *local;
        report.preferred = is_preferred(gateway, interface);
        targets_.gateways.push_back(std::move(report));
        for (SearchLink& one : targets_.links) {
            const bool same_family = one.local.family() == gateway.family();
            if (one.interface == interface && same_family) one.gateways.push_back(gateway);
        }
    }

    const LocalNetwork& network_;
    SearchTargets targets_;
};

}  // namespace

LocalNetwork local_network() {
    LocalNetwork network;
    if (auto links = interfaces()) network.interfaces = std::move(*links);
    if (auto routes = default_routes()) network.routes = std::move(*routes);
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto way = route_to_internet(family);
        if (way && *way) network.to_internet.push_back(**way);
    }
    return network;
}

SearchTargets search_targets(const LocalNetwork& network) { return Collector(network).run(); }

Milliseconds search_end(const SearchProgress& progress, const DiscoveryLimits& limits) {
    Milliseconds end = limits.window;
    // Something works. What else there is gets until `answered`; when that has passed already, as
    // long as the neighbour of a router that has just been found.
    if (progress.working) {
        const bool late = *progress.working > limits.answered;
        const Milliseconds last = late ? *progress.working + limits.settle : limits.answered;
        end = std::min(end, last + (progress.looking ? grace : Milliseconds(0)));
    }
    if (progress.usable && !progress.reading) {
        end = std::min(end, *progress.usable + limits.settle);
    }
    if (progress.awaiting || progress.looking) {
        end = std::min(limits.window, std::max(end, limits.patience));
    }
    if (progress.usable && progress.reading) end = std::max(end, *progress.usable + limits.reading);
    return std::max(end, std::min(limits.listen, limits.window));
}

}  // namespace p2pdiag::net::portmap
