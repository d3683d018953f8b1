// A router of a provider on the way to the internet: a hint at a NAT that is not one's own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"

namespace p2pdiag::upnp_plugin {

// Sends four small UDP packets towards the first of these STUN servers, which die on the way, and
// waits at most 700 ms for the routers to say so. The first of them with an address of
// 100.64.0.0/10 (RFC 6598).
boost::asio::awaitable<std::optional<IpAddress>> find_carrier_hop(
    std::vector<std::string> stun_servers);

}  // namespace p2pdiag::upnp_plugin
