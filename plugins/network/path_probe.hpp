// Small and large requests to a server that answers, on one socket.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "path.hpp"

namespace p2pdiag::network_plugin {

// Fills in series and mtu of the target, whose server and link_mtu must be set. Sixteen STUN
// requests 60 ms apart, and beside them ones that are as large as the link carries, at most 1500
// bytes; where those stay silent, smaller ones and such as may be fragmented. Ends 1.4 s later on a
// fast path, after 2 s at the latest. What is there so far can be read at any time.
boost::asio::awaitable<void> probe_target(std::shared_ptr<PathTarget> target);

}  // namespace p2pdiag::network_plugin
