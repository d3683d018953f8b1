// What a UDP payload says, in the structs of lib/wire.
#pragma once

#include <variant>

#include "capture/segment.hpp"
#include "wire/dns/message.hpp"
#include "wire/natpmp/message.hpp"
#include "wire/pcp/message.hpp"
#include "wire/peer/envelope.hpp"
#include "wire/peer/probe.hpp"
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

// A message of p2pdiag to p2pdiag, a probe or one of the chat: what stands outside of the
// encryption.
struct PeerContent {
    envelope::Envelope envelope;
    bool understood = false;  // of the version that is spoken here, or the word that says otherwise
    // Of a ping or a pong; nothing where the packet was cut before it.
    std::optional<probe::TransactionId> transaction;
    std::optional<Endpoint> observed;  // of a pong that is whole
    bool has_cookie = false;           // an init that was sent again as a cookie asked
    bool partial = false;              // the packet was cut short
};

// A protocol's port, and content that is not its. `protocol` is a literal: "NAT-PMP", "DNS", …
struct Malformed {
    std::string_view protocol;
};

// monostate: nothing that is known here.
using Content =
    std::variant<std::monostate, StunContent, turn::ChannelData, PeerContent, natpmp::Request,
                 natpmp::Response, pcp::Request, pcp::Response, ssdp::Search, ssdp::Announcement,
                 dns::Message, DtlsContent, Malformed>;

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

// A message of ours that is all of `bytes`, on any port: by its magic and its length. With `cut`,
// what is there of it. Nothing where it is none, or not written as it has to be.
std::optional<PeerContent> decode_peer(ByteView bytes, bool cut);

}  // namespace p2pdiag::capture
