// What a UDP payload says, in the structs of lib/wire.
#pragma once

#include <variant>

#include "capture/segment.hpp"
#include "wire/dns/message.hpp"
#include "wire/natpmp/message.hpp"
#include "wire/pcp/message.hpp"
#include "wire/ssdp/message.hpp"
#include "wire/stun/message.hpp"
#include "wire/turn/message.hpp"

namespace p2pdiag::capture {

struct StunContent {
    stun::Message message;
    turn::Attributes turn;
    // Attributes are missing: the packet was cut short, or one of them is broken. What is there
    // is right.
    bool partial = false;
};

// DTLS (RFC 9147) by its record header: only that a handshake is going on, or an alert came.
struct DtlsContent {
    std::uint8_t content_type = 0;  // 20 to 26, as of TLS
};

// A protocol's port, and content that is not its. `protocol` is a literal: "NAT-PMP", "DNS", …
struct Malformed {
    std::string_view protocol;
};

// monostate: nothing that is known here. Our own probes and chat handshake will join the list.
using Content = std::variant<std::monostate, StunContent, turn::ChannelData, natpmp::Request,
                             natpmp::Response, pcp::Request, pcp::Response, ssdp::Search,
                             ssdp::Announcement, dns::Message, DtlsContent, Malformed>;

// What earlier packets between the same two endpoints were. Protocols without a mark of their own
// are believed only there.
struct Acquaintance {
    bool stun = false;  // STUN was seen
    bool turn = false;  // a TURN allocation, or a channel
};

// Cheap: false where decode() would surely give monostate. For the many packets that are of no
// interest.
bool may_have_content(const Segment& segment, const Acquaintance& known);

// `segment` is UDP and no later fragment.
Content decode(const Segment& segment, const Acquaintance& known);

// A STUN message at the front of `bytes`: on any port with the magic cookie, without it (RFC 3489)
// only where length and attributes fit all through. With `cut`, what is there of it.
std::optional<StunContent> decode_stun(ByteView bytes, bool cut, bool expected);

}  // namespace p2pdiag::capture
