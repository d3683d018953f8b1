// Inside of lib/net: whom a search asks and how long it waits, without asking or waiting. The tests
// run these with links and times of their own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "net/interfaces.hpp"
#include "net/portmap/discovery.hpp"
#include "net/routes.hpp"

namespace p2pdiag::net::portmap {

// The addresses of one link that mappings can lead to.
struct LinkAddresses {
    int interface = 0;
    std::optional<IpAddress> ipv4;
    std::optional<IpAddress> ipv6;  // one that the internet can reach, if it is let in
};

struct SearchTargets {
    std::vector<GatewayReport> gateways;
    std::vector<SearchLink> links;  // one for each address of each link that is searched from
    std::vector<LinkAddresses> addresses;
};

// What the kernel tells of this machine. `to_internet` are the ways that packets to the internet
// take, one for each family that has any.
struct LocalNetwork {
    std::vector<Interface> interfaces;
    std::vector<DefaultRoute> routes;
    std::vector<Route> to_internet;
};
// What it does not tell is left out.
LocalNetwork local_network();

// Every working link with an address but loopback and the ports of a bridge, and every gateway of a
// default route that is on one of them.
SearchTargets search_targets(const LocalNetwork& network);

// Times from the start of the search.
struct SearchProgress {
    std::optional<Milliseconds> working;  // since when some protocol of some router works
    std::optional<Milliseconds> usable;   // since when an IGD on the preferred gateway is usable
    bool reading = false;                 // … and is still being asked for more
    bool looking = false;   // a device on the preferred gateway has answered and is not judged yet
    bool awaiting = false;  // … and what it says of pinholes over IPv6 is of use and not there yet
};
// When a search that has come so far is over, if nothing else comes.
Milliseconds search_end(const SearchProgress& progress, const DiscoveryLimits& limits);

// discover() with targets to order.
boost::asio::awaitable<void> discover_among(std::shared_ptr<Discovered> found,
                                            SearchTargets targets, DiscoveryLimits limits);

}  // namespace p2pdiag::net::portmap
