// Looking for routers, for checks and changes alike.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "gateways.hpp"

namespace p2pdiag::upnp_plugin {

// This machine's own public IPv6 address, that its packets to the internet carry.
std::optional<IpAddress> public_ipv6();

// Fills `search` (found, ipv6, complete) as answers come; `complete` only at the end.
boost::asio::awaitable<void> search_routers(std::shared_ptr<Search> search);
// The same for a list of all routers: with MX 1 each has a second to answer.
boost::asio::awaitable<void> search_all_routers(std::shared_ptr<Search> search);
// The same for a list of what they forward: each entry is a question of its own, and a router that
// answers at once may take long to tell them all.
boost::asio::awaitable<void> search_and_read(std::shared_ptr<Search> search);
// The same for a plan, which nobody makes twice: a slow router on the way to the internet gets the
// whole window to say whether it maps ports, and whether it opens its IPv6 firewall.
boost::asio::awaitable<void> search_patiently(std::shared_ptr<Search> search);

}  // namespace p2pdiag::upnp_plugin
