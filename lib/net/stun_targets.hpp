// Addresses of the configured STUN servers, for proving a forward from outside.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "base/address.hpp"

namespace p2pdiag::upnp_plugin {

// The first address of this family of each server that speaks UDP, without duplicates, at most
// four. Waits two seconds at most.
boost::asio::awaitable<std::vector<Endpoint>> stun_targets(std::vector<std::string> servers,
                                                           Family family);

}  // namespace p2pdiag::upnp_plugin
