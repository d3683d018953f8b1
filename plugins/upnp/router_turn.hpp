// One at a time: many routers cannot do two things at once, and each port that is kept up is
// watched by a process of its own.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "base/fd.hpp"
#include "net/portmap/types.hpp"

namespace p2pdiag::upnp_plugin {

// Waits until no other process of this network namespace has its turn with the router. The turn
// lasts as long as what is handed back, and ends with the process. Whoever has it for more than
// five seconds, or may not have it at all, is not waited for: then nothing is handed back.
boost::asio::awaitable<Fd> take_turn(net::portmap::Service service);

}  // namespace p2pdiag::upnp_plugin
