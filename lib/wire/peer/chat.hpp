// The clear outside of the chat's handshake and of what follows it: who belongs to whom, and how
// long the sealed parts are. What is in those, and the keys, is nobody's business here. No socket,
// clock, random number or key.
//
//   initiator                      responder
//   init (padded)           ->
//                           <-     cookie         only under load: nothing is kept yet
//   init with that cookie   ->
//                           <-     response
//   finish                  ->
//   data, close             <->    data, close
//
// Over UDP a message is a datagram; on a stream the length in the envelope tells them apart.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "wire/peer/envelope.hpp"

namespace p2pdiag::chat {

using envelope::ParseError;
using envelope::SessionId;

// Whatever its payload: no answer to it is longer, so that a forged source gets less sent to a
// stranger than it cost. And whoever gets it through has a path that carries what IPv6 demands.
inline constexpr std::size_t init_size = 1200;
// Made by the responder from the initiator's address, the session and a secret of its own, so that
// it need not keep anything until it comes back.
using Cookie = std::array<std::uint8_t, 16>;  // never all zero
inline constexpr std::size_t max_init_payload = init_size - envelope::size - sizeof(Cookie) - 2;
inline constexpr std::size_t max_handshake_payload = init_size - envelope::size;
inline constexpr std::size_t tag_size = 16;  // that anything sealed ends with
inline constexpr std::size_t max_sealed = envelope::max_length - 8;

// Payloads and sealed parts are opaque, and views: into what was parsed, or into what the caller of
// encode() has. A payload has one byte at least.

struct Init {
    std::optional<Cookie> cookie;
    ByteView payload;  // at most max_init_payload
};
struct CookieReply {
    Cookie cookie{};
};
struct Response {
    ByteView payload;  // at most max_handshake_payload
};
struct Finish {
    ByteView payload;  // at most max_handshake_payload
};
// The counter is the nonce, never the same twice under one key, and what a replay is known by.
struct Data {
    std::uint64_t counter = 0;
    ByteView sealed;  // tag_size to max_sealed
};
// The reason is sealed: nobody else can end a session.
struct Close {
    std::uint64_t counter = 0;
    ByteView sealed;
};
// "I do not speak your version": answers an init, with the session of it. Not sealed, so that it
// is worth a word to the user and nothing else; never a reason to speak another version.
struct Unsupported {
    std::uint8_t speaks = 0;  // the highest version that the sender speaks; not ours, not 0
};

using Body = std::variant<Init, CookieReply, Response, Finish, Data, Close, Unsupported>;

struct Message {
    SessionId session{};
    Body body;
};

// Exactly one message, written the one way that it may be.
Result<Message> parse(ByteView datagram);

// Sizes and cookies other than said above are a bug of the caller: std::length_error,
// std::invalid_argument.
Bytes encode(const Message& message);

}  // namespace p2pdiag::chat
