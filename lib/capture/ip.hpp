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
    std::uint8_t protocol = 0;  // of the payload; an extension header's in an IPv6 fragment
    std::uint8_t ttl = 0;       // hop limit
    // Of the payload; a first fragment has 0 too. Bytes.
    std::uint16_t fragment_offset = 0;
    bool more_fragments = false;
    std::uint32_t id = 0;  // of all fragments of one packet
    ByteView payload;      // without link padding
    std::size_t size = 0;  // of the payload as the header states it, bytes

    // Less of the payload was captured than there was.
    bool cut() const { return size > payload.size(); }
    // RFC 8200 section 4.5 treats a fragment that is the whole datagram (RFC 6946) as no fragment.
    bool is_fragment() const { return fragment_offset != 0 || more_fragments; }
};

// The version is in the first byte. Nothing where it is neither 4 nor 6, a header is cut or
// contradicts itself, there are more extension headers than any real packet has, or the payload is
// encrypted (ESP). IP within IP (DS-Lite, 6in4) is opened, once. The payload of an IPv6 fragment
// begins right behind the fragment header: more extension headers may follow in it.
std::optional<IpPacket> parse_ip(ByteView bytes);

// Moves the payload past the extension headers that it begins with, up to a fragment header and
// including it. False where one of them is cut, or there are too many.
bool skip_extensions(IpPacket& packet);

// Of IPv6, and known here, the fragment header included.
bool is_extension_header(std::uint8_t protocol);

}  // namespace p2pdiag::capture
