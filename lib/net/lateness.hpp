// Does this machine get the time to measure? What it says of delays is its own otherwise.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "base/clock.hpp"

namespace p2pdiag::net {

// Adds up in `total` how much later than asked for this thread was woken, until it is cancelled:
// what came in meanwhile was seen that much later, at most.
boost::asio::awaitable<void> add_up_lateness(std::shared_ptr<Clock::duration> total);

}  // namespace p2pdiag::net
