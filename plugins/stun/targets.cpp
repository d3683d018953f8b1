#include "targets.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <optional>

#include "net/interfaces.hpp"
#include "net/resolve.hpp"
#include "net/routes.hpp"
#include "net/task_group.hpp"

namespace p2pdiag::nat {

namespace {

namespace asio = boost::asio;

constexpr Milliseconds longest_lookup{2000};
// Once an IPv4 address is known, lookups of other IPv4 servers may take so much longer: several
// servers tell more than one, and a lost query is asked again within this time. IPv6 is not worth
// as long a wait.
constexpr Milliseconds grace_for_ipv4{600};
constexpr Milliseconds grace_for_ipv6{300};
constexpr std::size_t addresses_each = 2;

struct Lookup {
    std::string host;
    std::size_t name = 0;  // the same for the same host
    std::uint16_t port = 0;
    Family family = Family::ipv4;
    bool done = false;
    Result<std::vector<IpAddress>> found = ErrorCode(net::ResolveError::timed_out);
};

asio::awaitable<void> look_up(std::shared_ptr<Lookup> lookup, TimePoint deadline) {
    lookup->found = co_await net::resolve(lookup->host, lookup->family, deadline);
    lookup->done = true;
}

using Links = Result<std::vector<net::Interface>>;

std::optional<Egress> egress_to(const IpAddress& destination, const Links& links) {
    const auto route = net::route_to(destination);
    if (!route || !links) return std::nullopt;
    for (const net::Interface& link : *links) {
        if (link.index == route->interface) return Egress{link.name, link.kind};
    }
    return std::nullopt;
}

// Without a way out the names are not what is wrong.
Reason why_not_found(Family family) {
    const auto route = net::route_to_internet(family);
    const bool no_way_out = route && !*route;
    return no_way_out ? Reason::no_route : Reason::name_lookup;
}

Targets collect(const std::vector<std::shared_ptr<Lookup>>& lookups, Family family,
                const Links& links) {
    Targets targets;
    for (const auto& lookup : lookups) {
        if (lookup->family != family) continue;
        if (!lookup->found) {
            const bool other_family = lookup->found.error() == net::ResolveError::no_address;
            if (!other_family && targets.why_none == Reason::no_server) {
                targets.why_none = why_not_found(family);
            }
            continue;
        }
        std::size_t taken = 0;
        for (const IpAddress& address : *lookup->found) {
            if (taken == addresses_each) break;
            ServerConfig server{{address, lookup->port}, std::nullopt, lookup->name, std::nullopt};
            const auto source = net::source_address(server.address);
            if (!source && net::is_no_route(source.error())) {
                targets.why_none = Reason::no_route;
                continue;
            }
            if (source) server.local = source->unmapped();
            server.egress = egress_to(address, links);
            const bool known =
                std::any_of(targets.servers.begin(), targets.servers.end(),
                            [&](const ServerConfig& s) { return s.address == server.address; });
            if (!known) targets.servers.push_back(server);
            ++taken;
        }
    }
    return targets;
}

}  // namespace

asio::awaitable<BothFamilies> find_targets(std::vector<stun_plugin::ServerName> servers) {
    const auto executor = co_await asio::this_coro::executor;
    const TimePoint started = Clock::now();
    net::TaskGroup tasks(executor);
    std::vector<std::shared_ptr<Lookup>> lookups;
    for (const stun_plugin::ServerName& server : servers) {
        if (server.host.empty() || !server.port) continue;
        const auto same_host = [&](const auto& other) { return other.host == server.host; };
        const auto first = std::find_if(servers.begin(), servers.end(), same_host);
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            auto lookup = std::make_shared<Lookup>();
            lookup->host = server.host;
            lookup->name = static_cast<std::size_t>(first - servers.begin());
            lookup->port = *server.port;
            lookup->family = family;
            lookups.push_back(lookup);
            tasks.spawn(look_up(lookup, started + longest_lookup));
        }
    }
    const auto any = [&lookups](Family family, bool done) {
        return std::any_of(lookups.begin(), lookups.end(), [=](const auto& lookup) {
            return lookup->family == family && lookup->done == done && (!done || lookup->found);
        });
    };
    TimePoint until = started + longest_lookup;
    std::optional<TimePoint> found_ipv4;
    while (tasks.running() > 0 && Clock::now() < until) {
        co_await tasks.wait_for_change(until);
        if (!found_ipv4 && any(Family::ipv4, true)) found_ipv4 = Clock::now();
        if (!found_ipv4) continue;
        until = *found_ipv4 + (any(Family::ipv4, false) ? grace_for_ipv4 : grace_for_ipv6);
    }
    const Links links = net::interfaces();
    co_return BothFamilies{collect(lookups, Family::ipv4, links),
                           collect(lookups, Family::ipv6, links)};
}

}  // namespace p2pdiag::nat
