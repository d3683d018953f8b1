// Every router that could forward a port, asked by every protocol at once.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/portmap/igd.hpp"
#include "net/portmap/port_control.hpp"
#include "net/portmap/ssdp.hpp"

namespace p2pdiag::net::portmap {

// A default gateway and what it said to NAT-PMP and PCP. Nothing = not decided when the search
// ended.
struct GatewayReport {
    IpAddress address;
    int interface = 0;
    std::string interface_name;
    IpAddress local;
    bool preferred = false;  // packets to the internet leave through it
    std::optional<Outcome<PortControlStatus>> natpmp;
    std::optional<Outcome<PortControlStatus>> pcp;
};

// A device that answered the search, with what was read from it. Nothing = not asked, or not
// answered when the search ended.
struct IgdReport {
    SsdpAnswer answer;
    Milliseconds after{0};    // from the start of the search to its answer
    bool on_gateway = false;  // its address is that of a default gateway
    bool preferred = false;   // … of the one that packets to the internet leave through
    std::optional<Outcome<IgdDescription>> description;
    std::optional<Outcome<IgdStatus>> status;
    std::optional<Outcome<IgdMappings>> mappings;
    std::optional<Outcome<FirewallStatus>> firewall;

    // It maps ports, is connected and has an address on its WAN side that is more than 0.0.0.0.
    bool usable() const;
};

struct Discovered {
    std::vector<GatewayReport> gateways;
    std::vector<IgdReport> igds;
    Milliseconds took{0};
    bool ended_early = false;  // a usable router was there before the window was over
};

struct DiscoveryLimits {
    // SSDP: the second search goes out after 0.5 s, and MX 1 gives a router a second. This is for
    // one that takes two, as MX 2 would let it, and for its way back; nobody waits three seconds.
    Milliseconds window{2800};
    Milliseconds settle{300};  // after the first usable IGD on the preferred gateway
    // Not over before, however soon something works: what else there is is to be listed as well.
    Milliseconds listen{0};
    // The most that a search takes once some protocol works, but for 200 ms when the preferred
    // gateway has just answered and is being read.
    Milliseconds answered{1000};
    // … or while a device on the preferred gateway has answered and is still to say whether it
    // works, or what it says over IPv4 of pinholes is to be heard over IPv6 as well. With MX 1 that
    // begins up to a second later.
    Milliseconds patience{1200};
    // So long after the first usable IGD on the preferred gateway it may go on telling what it
    // forwards, each entry an answer of its own.
    Milliseconds reading{0};
};

// Fills `found` as answers come, so that what is there can be reported when it is cancelled.
boost::asio::awaitable<void> discover(std::shared_ptr<Discovered> found,
                                      DiscoveryLimits limits = {});

}  // namespace p2pdiag::net::portmap
