// The routers on the way to a server, as each says who it is when a packet's hop limit ends there.
// By UDP and the error queue of the socket, which needs no privilege.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"

namespace p2pdiag::net {

struct Hop {
    int ttl = 0;
    std::optional<IpAddress> router;  // nothing: it kept silent
    std::optional<std::chrono::microseconds> round_trip;
    bool destination = false;  // the server itself answered
};

struct TracePlan {
    int nearest = 1;
    int furthest = 8;
    unsigned rounds = 2;  // packets to each hop, until it has answered
    Milliseconds interval{250};
    Milliseconds patience{700};  // from the first packet
};

// A STUN request to `server` for each hop, from a socket of its own, as only that tells whose
// answer an error is; the server understands it, should it be that near. One entry per hop up to
// the server. Ends early once all have answered, or `enough` says so (null = never).
boost::asio::awaitable<std::vector<Hop>> trace(Endpoint server, TracePlan plan,
                                               std::function<bool(const Hop&)> enough);

}  // namespace p2pdiag::net
