// ICMP (RFC 792) and ICMPv6 (RFC 4443), as far as echo and errors go: bytes <-> struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.hpp"
#include "base/bytes.hpp"

namespace p2pdiag::icmp {

struct Echo {
    std::uint16_t identifier = 0;
    std::uint16_t sequence = 0;
    ByteView payload;
};

// With its checksum over IPv4; over IPv6 the kernel computes it, since it covers addresses too.
Bytes encode_echo_request(Family family, const Echo& echo);

// A message from its type on, without any IP header. Nothing where it is no echo reply. The payload
// is a view into `message`. The checksum is the kernel's business.
std::optional<Echo> parse_echo_reply(Family family, ByteView message);

// Which requests and replies belong together: the identifier of an echo request or reply, from its
// type on. Nothing for any other message.
std::optional<std::uint16_t> echo_identifier(Family family, ByteView message);

// RFC 791 section 3.1. What follows the IP header of a packet that a raw IPv4 socket hands over;
// empty where there is none.
ByteView without_ipv4_header(ByteView packet);

// What an error means to whoever sent the packet that caused it.
enum class Meaning {
    port_unreachable,  // the host is there, the port closed; or a firewall that rejects says so
    host_unreachable,
    network_unreachable,
    prohibited,     // administratively: a router or firewall that may not let it pass
    time_exceeded,  // on the way: the hop limit was used up
    too_big,        // for the next link, and not to be fragmented
    other
};
std::string_view to_string(Meaning meaning);  // with hyphens: "port-unreachable"
Meaning meaning(Family family, std::uint8_t type, std::uint8_t code);

// An error, and who sent it.
struct Said {
    IpAddress by;
    Meaning meaning = Meaning::other;
};

// Whether messages of this type report an error: RFC 792 unreachable, source quench, redirect, time
// exceeded, parameter problem; RFC 4443 section 2.1 types below 128.
bool is_error(Family family, std::uint8_t type);

struct Error {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    // Of the packet that caused it.
    std::uint8_t protocol = 0;  // 6 is TCP, 17 UDP
    Endpoint destination;       // port 0 where the protocol has none
    std::uint16_t source_port = 0;
};

// A message from its type on. Nothing where it is no error, or does not quote enough of the packet
// that caused it (RFC 792: its IP header and 8 bytes).
std::optional<Error> parse_error(Family family, ByteView message);

}  // namespace p2pdiag::icmp
