// Inside of lib/net: mappings in the table of a UPnP router, made and removed with a look at who
// has the port. The functions of mapping.hpp with the same names say what they promise.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>

#include "net/portmap/mapping.hpp"

namespace p2pdiag::net::portmap {

boost::asio::awaitable<Outcome<MapGrant>> upnp_add(Service service, MapRequest request);
boost::asio::awaitable<Outcome<MapGrant>> upnp_renew(Service service, MapRequest request,
                                                     MapGrant grant);
boost::asio::awaitable<Outcome<void>> upnp_remove(Service service, MapRequest request,
                                                  std::optional<MapGrant> grant);
boost::asio::awaitable<ReadBack> upnp_read_back(Service service, MapRequest request,
                                                MapGrant grant);

}  // namespace p2pdiag::net::portmap
