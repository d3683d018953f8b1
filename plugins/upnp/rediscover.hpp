// A UPnP router's control URL may change with a restart (miniupnpd picks a port when none is set),
// its address with a new network, and its address on the link with a new network card. By UPnP it
// has a name (UDN) that stays.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>

#include "gateways.hpp"

namespace p2pdiag::upnp_plugin {

// Searches again and hands back what now stands for `old`: the router of its name, or where it had
// none the one at its address; the same protocol and kind of service, asked from the address that
// this machine has now. Nothing where there is none, or where it is unchanged.
boost::asio::awaitable<std::optional<portmap::Service>> find_again(portmap::Service old);
// … among what was found.
std::optional<portmap::Service> find_in(const Search& search, const portmap::Service& old);

// The router of that name alone, also where it is unchanged.
boost::asio::awaitable<std::optional<portmap::Service>> find_by_name(portmap::Service old);
std::optional<portmap::Service> find_by_name_in(const Search& search, const portmap::Service& old);

// Whoever stands for it now, also where that is unchanged: the router of its name, or the one at
// its address that has no other name.
std::optional<portmap::Service> stands_for(const Search& search, const portmap::Service& old);

// `now` is `old`, found again: the mapping leads to the address that this machine had then.
portmap::Service asked_from_here(portmap::Service now, const portmap::Service& old);

// Whether such a search may help: the router's address is there, but not what was asked, or this
// machine has another address than then.
bool may_have_moved(const portmap::Service& service, const portmap::Failure& failure);

}  // namespace p2pdiag::upnp_plugin
