// IP addresses and endpoints without any socket type, for codecs and state machines.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace p2pdiag {

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

std::string_view to_string(Family family);  // "ipv4" or "ipv6"

// What an address can be reached from.
enum class AddressScope {
    unspecified,    // 0.0.0.0/8, ::
    loopback,       // 127/8, ::1
    link_local,     // 169.254/16, fe80::/10
    private_use,    // RFC 1918, 192.0.0.0/24, fc00::/7
    carrier_grade,  // 100.64.0.0/10 (RFC 6598)
    multicast,      // 224/4, ff00::/8
    reserved,       // 240/4 with the broadcast address
    public_use      // everything else; documentation ranges too, so that labs can use them
};

std::string_view to_string(AddressScope scope);

class IpAddress {
public:
    IpAddress() = default;  // 0.0.0.0
    static IpAddress v4(std::uint32_t host_order);
    static IpAddress v4(std::array<std::uint8_t, 4> network_order);
    static IpAddress v6(const std::array<std::uint8_t, 16>& network_order);
    // Dotted quad or RFC 4291 text; no brackets, no zone, no port. Nothing when it is not an
    // address.
    static std::optional<IpAddress> parse(std::string_view text);

    Family family() const { return family_; }
    bool is_v4() const { return family_ == Family::ipv4; }
    std::uint32_t v4_bits() const;  // host order; only for IPv4
    const std::array<std::uint8_t, 16>& bytes() const {
        return bytes_;
    }  // IPv4 uses the first four
    AddressScope scope() const;
    bool is_public() const { return scope() == AddressScope::public_use; }
    // 192.0.0.0/29: where a 464XLAT translator puts the IPv4 side of a host (RFC 7335).
    bool is_clat_side() const;
    // ::ffff:a.b.c.d becomes a.b.c.d; everything else stays. Compare only what went through here.
    IpAddress unmapped() const;
    std::string to_string() const;  // RFC 5952

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

private:
    Family family_ = Family::ipv4;
    std::array<std::uint8_t, 16> bytes_{};
};

struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;  // host order

    // "1.2.3.4:5" or "[::1]:5". Nothing when it is not that, or the port is 0 or past 65535.
    static std::optional<Endpoint> parse(std::string_view text);
    std::string to_string() const;

    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace p2pdiag
