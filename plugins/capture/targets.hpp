// What the checks of a run talk to, as a filter for pcap-filter(7): wide enough for all that a
// diagnosis needs, and no more of other people's traffic than must be.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/json.hpp"

namespace p2pdiag::capture_plugin {

// More than any run has; the rest is left out.
inline constexpr std::size_t max_targets = 64;

struct Targets {
    std::set<std::uint16_t> ports;  // of UDP and TCP, at either end
    std::set<IpAddress> hosts;      // everything to and from these
    std::set<Endpoint> endpoints;   // everything to and from these
    // Of servers known by name alone, at the ports of the web: of whatever goes there, the begin
    // and end of connections.
    std::set<std::uint16_t> handshakes;
};

// `input` is that of a recorder (docs/plugin-author/reference.md). Of its servers and options every
// "host:port", address and URL counts, and every number that is named a port. `gateways` are the
// routers of this machine.
Targets targets_of(const json::object& input, const std::vector<IpAddress>& gateways);

// Also lets through: DNS, STUN at any port, ICMP, and later fragments, of which nobody can tell
// what they belong to.
std::string filter_for(const Targets& targets);

}  // namespace p2pdiag::capture_plugin
