// A UPnP router's control URL may change with a restart (miniupnpd picks a port when none is set).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>

#include "forward_step.hpp"

namespace p2pdiag::upnp_plugin {

// Searches again and hands back what now stands for `old`: the same router, protocol and kind of
// service. Nothing where there is none, or where it is unchanged.
boost::asio::awaitable<std::optional<portmap::Service>> find_again(portmap::Service old);

// Whether such a search may help: the router's address is there, but not what was asked.
bool may_have_moved(const portmap::Service& service, const portmap::Failure& failure);

}  // namespace p2pdiag::upnp_plugin
