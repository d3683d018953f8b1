// What every capture is made of, whichever file or interface it came from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.hpp"

namespace p2pdiag::capture {

// https://www.tcpdump.org/linktypes.html: what a packet begins with. Any other number may come.
enum class LinkType : std::uint16_t {
    null = 0,  // BSD loopback: the address family in the byte order of the machine
    ethernet = 1,
    raw_dlt = 12,      // raw IP, under the number that some systems wrote into files
    raw_openbsd = 14,  // the same of OpenBSD
    raw = 101,         // an IPv4 or IPv6 header
    loop = 108,        // OpenBSD loopback: the address family in network byte order
    linux_sll = 113,   // the device "any", old form
    ipv4 = 228,
    ipv6 = 229,
    linux_sll2 = 276  // the device "any"
};

// No packet is longer than libpcap's MAXIMUM_SNAPLEN lets it be.
inline constexpr std::size_t max_packet = 262'144;

struct Interface {
    LinkType link_type = LinkType::ethernet;
    std::uint32_t snap_length = 0;  // bytes of each packet that are kept at most; 0 = all
    std::string name;               // "eth0"; empty where the file does not say. Texts: valid UTF-8
    std::string description;
    std::string filter;  // what was captured, as libpcap writes it
    std::string system;  // of the machine that captured

    friend bool operator==(const Interface&, const Interface&) = default;
};

enum class Direction : std::uint8_t { unknown, inbound, outbound };

// Views are valid until the next packet is asked for.
struct Packet {
    std::uint64_t number = 0;  // in the file, from 1
    // Nanoseconds since 1970; nothing where the format has no time (simple packet block) or the
    // time is none that can be.
    std::optional<std::int64_t> time_ns;
    std::uint32_t interface = 0;  // index into Reader::interfaces()
    LinkType link_type = LinkType::ethernet;
    Direction direction = Direction::unknown;  // as the capturing machine saw it
    std::uint32_t original_size = 0;           // on the wire; data may be shorter
    ByteView data;
    std::span<const std::string_view> comments;  // as they stand in the file: hostile bytes
};

}  // namespace p2pdiag::capture
