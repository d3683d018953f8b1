// Ping and pong by which two peers find the ways between them. No socket, clock, random number or
// key in here: the tag is 16 opaque bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/address.hpp"
#include "wire/peer/envelope.hpp"

namespace p2pdiag::probe {

using envelope::ParseError;
using envelope::SessionId;

inline constexpr std::size_t tag_size = 16;
// Envelope, transaction, counter, observed port and address, tag. A ping has as many bytes as its
// pong, so that nobody gets more bytes sent to a stranger than he sends himself.
inline constexpr std::size_t size = envelope::size + 12 + 8 + 2 + 16 + tag_size;
// A ping may be padded, to find out which size a path carries: at most what fits an Ethernet frame
// over IPv4 (1500 - 20 - 8).
inline constexpr std::size_t max_size = 1472;

// Of one ping and its pong. Sent again to the same address, a ping keeps it; each address that is
// tried has its own.
using TransactionId = std::array<std::uint8_t, 12>;
using Tag = std::array<std::uint8_t, tag_size>;

struct Probe {
    SessionId session{};
    TransactionId transaction{};
    // Of all that its sender has sent in this session with this key, resends too: never the same
    // twice. The nonce of the tag, and what a replay is known by. Each direction has a key of its
    // own, so that a probe that is sent back to its sender is no probe of the peer.
    std::uint64_t counter = 0;
    // A pong: where the ping came from, as its receiver saw it. Nothing: a ping.
    std::optional<Endpoint> observed;
    std::size_t total_size = probe::size;  // bytes; a pong never has more than `size`
    Tag tag{};

    bool is_pong() const { return observed.has_value(); }
    friend bool operator==(const Probe&, const Probe&) = default;
};

// Exactly one probe, written the one way that it may be.
Result<Probe> parse(ByteView datagram);

// `total_size` is brought between `size` and `max_size`; an IPv4-mapped address is written, and
// read again, as IPv4.
Bytes encode(const Probe& probe);

// What the tag is over: all that stands before it.
inline ByteView covered_by_tag(ByteView datagram) {
    return datagram.first(datagram.size() < tag_size ? 0 : datagram.size() - tag_size);
}

}  // namespace p2pdiag::probe
