// IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with extension headers and fragments.
#pragma once

#include <optional>

#include "base/address.hpp"
#include "base/bytes.hpp"

namespace p2pdiag::capture {

// https://www.iana.org/assignments/protocol-numbers
namespace ip_protocol {
inline constexpr std::uint8_t icmp = 1;
inline constexpr std::uint8_t ipv4 = 4;  // IPv4 within IP
inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;
inline constexpr std::uint8_t ipv6 = 41;  // IPv6 within IP
inline constexpr std::uint8_t icmpv6 = 58;
}  // namespace ip_protocol

struct IpPacket {
    IpAddress from;
    IpAddress to;
    std::uint8_t protocol = 0;  // of the payload
    std::uint8_t ttl = 0;       // hop limit
    // Of the payload; a first fragment has 0 too. Bytes.
    std::uint16_t fragment_offset = 0;
    bool more_fragments = false;
    std::uint32_t id = 0;  // of all fragments of one packet
    ByteView payload;      // without link padding
    bool cut = false;      // less of the payload was captured than there was

    bool is_fragment() const { return fragment_offset != 0 || more_fragments; }
};

// The version is in the first byte. Nothing where it is neither 4 nor 6, a header is cut or
// contradicts itself, there are more extension headers than any real packet has, or the payload is
// encrypted (ESP). IP within IP (DS-Lite, 6in4) is opened, once.
std::optional<IpPacket> parse_ip(ByteView bytes);

}  // namespace p2pdiag::capture
