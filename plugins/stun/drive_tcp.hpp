// Binding requests over TCP at a steady pace: the control for "UDP is blocked".
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "base/address.hpp"
#include "base/clock.hpp"

namespace p2pdiag::nat {

struct TcpHandlers {
    std::function<bool()> wanted;                   // asked every 50 ms; false ends it
    std::function<void()> on_alive;                 // connected, or refused by a reset
    std::function<void(TimePoint sent)> on_answer;  // a valid answer to the request sent then
};

// Returns when no longer wanted, and when there is nothing more to expect: refused, unreachable,
// broken, not connected or never answered within 1.2 s, or more than 64 KiB of something else.
boost::asio::awaitable<void> ask_over_tcp(Endpoint server, TcpHandlers handlers);

}  // namespace p2pdiag::nat
