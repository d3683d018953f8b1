#include "base/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "base/host_port.hpp"

namespace p2pdiag {

std::string_view to_string(Family family) { return family == Family::ipv4 ? "ipv4" : "ipv6"; }

std::string_view to_string(AddressScope scope) {
    switch (scope) {
        case AddressScope::unspecified: return "unspecified";
        case AddressScope::loopback: return "loopback";
        case AddressScope::link_local: return "link-local";
        case AddressScope::private_use: return "private";
        case AddressScope::carrier_grade: return "carrier-grade";
        case AddressScope::multicast: return "multicast";
        case AddressScope::reserved: return "reserved";
        case AddressScope::public_use: break;
    }
    return "public";
}

IpAddress IpAddress::v4(std::uint32_t host_order) {
    IpAddress address;
    for (unsigned i = 0; i < 4; ++i) {
        address.bytes_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    }
    return address;
}

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> network_order) {
    IpAddress address;
    std::copy(network_order.begin(), network_order.end(), address.bytes_.begin());
    return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& network_order) {
    IpAddress address;
    address.family_ = Family::ipv6;
    address.bytes_ = network_order;
    return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    const std::string terminated(text);
    if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
    IpAddress address;
    if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data()) == 1) return address;
    if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) {
        address.family_ = Family::ipv6;
        return address;
    }
    return std::nullopt;
}

std::uint32_t IpAddress::v4_bits() const {
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < 4; ++i) bits = bits << 8 | bytes_[i];
    return bits;
}

namespace {

AddressScope v4_scope(std::uint32_t bits) {
    struct Range {
        std::uint32_t base;
        unsigned prefix;
        AddressScope scope;
    };
    // IANA special-purpose registry (RFC 6890), as far as it tells where an address can be reached
    // from.
    static constexpr Range ranges[] = {
        {0x00000000, 8, AddressScope::unspecified},  {0x7f000000, 8, AddressScope::loopback},
        {0xa9fe0000, 16, AddressScope::link_local},  {0x0a000000, 8, AddressScope::private_use},
        {0xac100000, 12, AddressScope::private_use}, {0xc0a80000, 16, AddressScope::private_use},
        {0xc0000000, 24, AddressScope::private_use}, {0x64400000, 10, AddressScope::carrier_grade},
        {0xe0000000, 4, AddressScope::multicast},    {0xf0000000, 4, AddressScope::reserved},
    };
    for (const Range& range : ranges) {
        if ((bits ^ range.base) >> (32 - range.prefix) == 0) return range.scope;
    }
    return AddressScope::public_use;
}

AddressScope v6_scope(const std::array<std::uint8_t, 16>& bytes) {
    const bool zeros =
        std::all_of(bytes.begin(), bytes.end() - 1, [](auto byte) { return byte == 0; });
    if (zeros && bytes[15] == 0) return AddressScope::unspecified;
    if (zeros && bytes[15] == 1) return AddressScope::loopback;
    if (bytes[0] == 0xff) return AddressScope::multicast;
    if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return AddressScope::link_local;
    if ((bytes[0] & 0xfe) == 0xfc) return AddressScope::private_use;
    return AddressScope::public_use;
}

constexpr std::array<std::uint8_t, 12> v4_mapped_prefix = {0, 0, 0, 0, 0,    0,
                                                           0, 0, 0, 0, 0xff, 0xff};

}  // namespace

AddressScope IpAddress::scope() const {
    const IpAddress plain = unmapped();
    return plain.is_v4() ? v4_scope(plain.v4_bits()) : v6_scope(plain.bytes_);
}

bool IpAddress::is_clat_side() const {
    // RFC 7335 section 4.
    constexpr std::uint32_t base = 0xc0000000;
    constexpr unsigned prefix = 29;
    return is_v4() && (v4_bits() ^ base) >> (32 - prefix) == 0;
}

IpAddress IpAddress::unmapped() const {
    if (is_v4() || !std::equal(v4_mapped_prefix.begin(), v4_mapped_prefix.end(), bytes_.begin())) {
        return *this;
    }
    return v4({bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

std::string IpAddress::to_string() const {
    char text[INET6_ADDRSTRLEN] = {};
    inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
    return text;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const auto parsed = parse_host_port(text);
    if (!parsed || !parsed->port) return std::nullopt;
    const auto address = IpAddress::parse(parsed->host);
    return address ? std::optional(Endpoint{*address, *parsed->port}) : std::nullopt;
}

std::string Endpoint::to_string() const {
    const std::string host = address.to_string();
    return (address.is_v4() ? host : '[' + host + ']') + ':' + std::to_string(port);
}

}  // namespace p2pdiag
