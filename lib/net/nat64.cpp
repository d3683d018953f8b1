#include "net/nat64.hpp"

#include <algorithm>

#include "net/resolve.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;

namespace {

using V4Bytes = std::array<std::uint8_t, 4>;

// RFC 7050 section 8.2: the addresses of ipv4only.arpa.
constexpr V4Bytes well_known[] = {{192, 0, 0, 170}, {192, 0, 0, 171}};
// RFC 6052 section 2.2.
constexpr unsigned prefix_lengths[] = {32, 40, 48, 56, 64, 96};
// RFC 6052 section 2.2: "Bits 64 to 71 of the address are reserved …; these bits MUST be set to
// zero", and the IPv4 address goes around them.
constexpr std::size_t reserved_byte = 8;

V4Bytes embedded(const IpAddress& address, unsigned bits) {
    V4Bytes found{};
    std::size_t at = bits / 8;
    for (std::uint8_t& byte : found) {
        if (at == reserved_byte) ++at;
        byte = address.bytes()[at++];
    }
    return found;
}

// Every way in which an address can be read as a prefix with `inside` behind it.
std::vector<Nat64Prefix> prefixes_before(const V4Bytes& inside,
                                         const std::vector<IpAddress>& addresses) {
    std::vector<Nat64Prefix> found;
    for (const IpAddress& address : addresses) {
        if (address.is_v4() || address.bytes()[reserved_byte] != 0) continue;
        for (const unsigned bits : prefix_lengths) {
            if (embedded(address, bits) != inside) continue;
            std::array<std::uint8_t, 16> prefix{};
            std::copy_n(address.bytes().begin(), bits / 8, prefix.begin());
            found.push_back({IpAddress::v6(prefix), bits});
        }
    }
    return found;
}

}  // namespace

std::string Nat64Prefix::to_string() const {
    return address.to_string() + '/' + std::to_string(bits);
}

std::optional<Nat64Prefix> nat64_prefix_in(const std::vector<IpAddress>& addresses) {
    const auto first = prefixes_before(well_known[0], addresses);
    const auto second = prefixes_before(well_known[1], addresses);
    // A prefix may itself look like one of the two addresses, but stands before both of them.
    for (const Nat64Prefix& prefix : first) {
        if (std::find(second.begin(), second.end(), prefix) != second.end()) return prefix;
    }
    if (first.size() + second.size() != 1) return std::nullopt;
    return first.empty() ? second.front() : first.front();
}

asio::awaitable<Result<std::optional<Nat64Prefix>>> find_nat64_prefix(TimePoint deadline) {
    const auto found = co_await resolve("ipv4only.arpa", Family::ipv6, deadline);
    if (found) co_return nat64_prefix_in(*found);
    const bool has_none =
        found.error() == ResolveError::no_address || found.error() == ResolveError::not_found;
    if (has_none) co_return std::optional<Nat64Prefix>();
    co_return found.error();
}

}  // namespace p2pdiag::net
