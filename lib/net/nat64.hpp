// Whether the network leads to IPv4 through IPv6, by a NAT64 (RFC 6146) with the prefix of which
// its resolver makes up IPv6 addresses for IPv4 hosts (RFC 6147).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

struct Nat64Prefix {
    IpAddress address;  // with zeros behind the prefix
    unsigned bits = 0;  // 32, 40, 48, 56, 64 or 96 (RFC 6052 section 2.2)

    std::string to_string() const;  // "64:ff9b::/96"
    friend bool operator==(const Nat64Prefix&, const Nat64Prefix&) = default;
};

// From the IPv6 addresses of ipv4only.arpa, a name that has none: what a resolver made up holds one
// of its two IPv4 addresses behind the prefix (RFC 7050 section 3). Nothing where none is made up,
// or where the IPv4 address stands at more than one place and no other address decides which.
std::optional<Nat64Prefix> nat64_prefix_in(const std::vector<IpAddress>& addresses);

// Asks the system's resolver. No prefix where the name has no IPv6 address, or none that is made
// up; an error of resolve_category() where that cannot be known. Must run on a single-threaded
// executor. Throws operation_aborted when cancelled.
boost::asio::awaitable<Result<std::optional<Nat64Prefix>>> find_nat64_prefix(TimePoint deadline);

}  // namespace p2pdiag::net
