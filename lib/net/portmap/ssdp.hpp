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

// A link to search on. One local address of each family that it has.
struct SearchLink {
    int interface = 0;
    // With IPv6 a global one where there is one: a router answers it from its own global address,
    // which is what LOCATION names, and opens pinholes for no other.
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
