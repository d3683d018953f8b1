// One packet, taken apart down to the payload of UDP, TCP or ICMP.
#pragma once

#include <array>
#include <optional>

#include "base/address.hpp"
#include "capture/link.hpp"

namespace p2pdiag::capture {

enum class Carrier : std::uint8_t { udp, tcp, icmp, other };
std::string_view to_string(Carrier carrier);

// RFC 9293 section 3.1.
struct TcpHeader {
    std::uint32_t sequence = 0;
    std::uint32_t acknowledged = 0;
    bool syn = false;
    bool ack = false;
    bool fin = false;
    bool rst = false;
};

// An ICMP message (RFC 792) or ICMPv6 message (RFC 4443) that reports an error, and the packet that
// caused it.
struct IcmpError {
    bool v6 = false;
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    Carrier carrier = Carrier::other;  // of the packet that caused it
    Endpoint from;                     // its source, with port 0 where it has none
    Endpoint to;
    ByteView payload;  // what is left of its UDP payload, or of its ICMP message; empty with TCP
    bool cut = false;  // there was more of it
};

struct Segment {
    Carrier carrier = Carrier::other;
    Endpoint from;  // port 0 with neither UDP nor TCP
    Endpoint to;
    Direction direction = Direction::unknown;
    bool to_group = false;  // by its IP address or by that of the link: directed broadcast too
    std::uint8_t ip_protocol = 0;
    std::uint8_t ttl = 0;
    std::uint32_t ip_id = 0;
    ByteView payload;
    // There was more of the payload: the snap length cut it, or it is one of several fragments.
    bool cut = false;
    bool later_fragment = false;    // not the first one: the payload is no beginning of anything
    TcpHeader tcp;                  // with Carrier::tcp, except in a later fragment
    std::optional<IcmpError> icmp;  // with Carrier::icmp, where it is an error
};

// Why a packet is no segment.
enum class Skipped : std::uint8_t { no, unknown_link, not_ip, malformed };

// Remembers the ports of fragmented packets: only their first fragment has them. Bounded.
class Dissector {
public:
    // Views in `segment` are into `packet.data`.
    Skipped dissect(const Packet& packet, Segment& segment);

    // Later fragments whose first one was not seen. They are segments without ports.
    std::uint64_t orphan_fragments() const { return orphan_fragments_; }

private:
    struct Fragmented {
        IpAddress from, to;
        std::uint32_t id = 0;
        std::uint8_t protocol = 0;
        std::uint16_t from_port = 0, to_port = 0;
        bool used = false;
    };
    static constexpr std::size_t max_fragmented = 256;

    void remember(const Segment& segment);
    void find_ports(Segment& segment);

    std::array<Fragmented, max_fragmented> fragmented_;
    std::size_t next_ = 0;  // the oldest of them
    std::uint64_t orphan_fragments_ = 0;
};

}  // namespace p2pdiag::capture
