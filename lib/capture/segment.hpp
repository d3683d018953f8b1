// One packet, taken apart down to the payload of UDP, TCP or ICMP.
#pragma once

#include <functional>
#include <optional>

#include "base/address.hpp"
#include "capture/fragments.hpp"
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
    // There was more of the payload: the snap length cut it, or fragments of it are missing.
    bool cut = false;
    // Only a part of a datagram that is not whole with it: the payload is that of this part, and
    // the ports are those of the first part, where that has come.
    bool fragment = false;
    bool later_fragment = false;    // not the first one: the payload is no beginning of anything
    std::uint32_t packets = 1;      // that it came in: more with a datagram that was fragmented
    TcpHeader tcp;                  // with Carrier::tcp, except in a later fragment
    std::optional<IcmpError> icmp;  // with Carrier::icmp, where it is an error
};

// Why a packet is no segment.
enum class Skipped : std::uint8_t { no, unknown_link, not_ip, malformed };

// Takes packets apart, and puts fragmented datagrams of UDP, TCP and ICMP together, within the
// bounds of Fragments.
class Dissector {
public:
    // A datagram that never came whole, as far as it is there from its beginning on: a segment that
    // is cut. Called from within dissect(), before that touches its own segment, and from
    // give_up_all(). Views are valid during the call.
    using OnIncomplete = std::function<void(const Segment&, const Arrival&)>;

    explicit Dissector(OnIncomplete on_incomplete = [](const Segment&, const Arrival&) {});
    Dissector(const Dissector&) = delete;
    Dissector& operator=(const Dissector&) = delete;

    // Views in `segment` are into `packet.data`, or valid until the next call.
    Skipped dissect(const Packet& packet, Segment& segment);

    // After the last packet.
    void give_up_all() { fragments_.give_up_all(); }
    const Fragments& fragments() const { return fragments_; }

private:
    Skipped take_fragment(const IpPacket& ip, const Arrival& arrival, Segment& segment);

    OnIncomplete on_incomplete_;
    Fragments fragments_;
    std::int64_t time_ns_ = 0;  // of the newest packet that has one
};

}  // namespace p2pdiag::capture
