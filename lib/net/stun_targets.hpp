// The STUN servers of a profile as something that can be sent to: for proving a forward from
// outside, and for measuring a path whose far end answers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"

namespace p2pdiag::net {

struct StunServerName {
    std::string host;
    std::uint16_t port = 0;
    bool tls = false;  // "stuns": TLS only
};

// "host:port", or a URI of RFC 7064, whose port has a default.
std::optional<StunServerName> parse_stun_server(std::string_view text);

// The first address of this family of each server that speaks UDP, without duplicates, at most
// four. Waits two seconds at most.
boost::asio::awaitable<std::vector<Endpoint>> stun_targets(std::vector<std::string> servers,
                                                           Family family);

}  // namespace p2pdiag::net
