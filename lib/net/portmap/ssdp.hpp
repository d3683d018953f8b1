// Who calls itself an Internet Gateway Device on the links of this machine (UPnP Device
// Architecture 1.1, section 1.3).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"

namespace p2pdiag::net::portmap {

// A link to search on, from one local address.
struct SearchLink {
    int interface = 0;
    // With IPv6 a link is searched from a link-local address and from a global one. A router
    // answers from an address of the same scope (RFC 6724 section 5, rule 2). UPnP Device
    // Architecture 1.1, annex A, wants LOCATION to be of that scope too; miniupnpd names its global
    // address whoever asks, and is believed only when it answers from there. Routers open pinholes
    // for the global address alone.
    IpAddress local;
    std::vector<IpAddress> gateways;  // asked by unicast as well: some answer only to that
};

struct SsdpAnswer {
    IpAddress from;
    std::uint16_t port = 0;
    int interface = 0;
    IpAddress local;
    std::string location, server, st, usn;  // printable, at most 512 characters each
};

// Searches by multicast and unicast for IGD:1, IGD:2 and their connection services (gateways also
// for upnp:rootdevice), with MX 1 and repeated once, until `until`. `on_answer` runs for each
// answer as it comes, duplicates by (from, location) left out, at most 256, from the link itself
// alone and from any port. A link on which nothing can be sent is left out silently.
boost::asio::awaitable<void> ssdp_search(std::vector<SearchLink> links, TimePoint until,
                                         std::function<void(const SsdpAnswer&)> on_answer);

}  // namespace p2pdiag::net::portmap
