// How everything begins that p2pdiag says to p2pdiag: probes (probe.hpp) and the chat handshake
// (chat.hpp). Bytes <-> struct; no socket, clock, random number or key in here. The bytes, and why
// they are so: docs/adr/0011.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::envelope {

// One socket carries STUN, TURN and what is ours. RFC 7983 section 7 gives each protocol a range of
// the first byte, RFC 9443 section 3 gave the last free ones away to QUIC (192 to 255); 4 to 15 is
// nobody's and dropped. As a STUN length (bytes 2 and 3) it would be no multiple of four, which RFC
// 8489 section 5 demands.
inline constexpr std::array<std::uint8_t, 4> magic{0x0E, 'p', 'd', 'i'};
// What this program speaks, and nothing else: another version fails closed.
inline constexpr std::uint8_t version = 1;
inline constexpr std::size_t size = 16;  // magic, version, kind, length, session
inline constexpr std::size_t max_length = 65'535;

enum class Kind : std::uint8_t {
    ping = 1,
    pong = 2,
    init = 3,
    cookie = 4,
    response = 5,
    finish = 6,
    data = 7,
    close = 8,
    unsupported = 9  // stays in every version: see chat::Unsupported
};
std::string_view to_string(Kind kind);  // "ping"; "unknown" for any other number

// Tells the sessions of one socket apart, wherever a packet comes from. Drawn by whoever begins;
// no secret, and no proof of anything: that is the tag of what follows.
using SessionId = std::array<std::uint8_t, 8>;

// The same in every version, so that one that is not understood can be named.
struct Envelope {
    std::uint8_t version = envelope::version;  // never 0
    Kind kind = Kind::ping;                    // of another version: any number but 0
    std::uint16_t length = 0;                  // bytes behind the envelope
    SessionId session{};

    friend bool operator==(const Envelope&, const Envelope&) = default;
};

enum class ParseError {
    too_short = 1,  // less than an envelope, or less than what its kind has
    foreign,        // not ours
    wrong_version,  // ours, of a version that is not spoken here
    wrong_kind,     // a kind that this version does not have, or that is not asked for here
    bad_length,     // the length field is not what follows, or not what the kind may have
    not_canonical   // what has to be zero is not, or the same is said in another way
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

// Cheap, for telling ours from the other traffic of a socket.
bool looks_like_ours(ByteView datagram);

// The front of `start`, which may be more or less than the message. Of any version.
Result<Envelope> parse(ByteView start);

// The envelope of exactly one message of the version that is spoken here.
Result<Envelope> parse_whole(ByteView datagram);

// How long the message is, envelope included, that begins with `start` on a stream. An error where
// none of this version begins like that, or where `start` is less than an envelope.
Result<std::size_t> size_on_stream(ByteView start);

void append(ByteWriter& writer, const Envelope& envelope);

bool all_zero(ByteView bytes);

}  // namespace p2pdiag::envelope

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::envelope::ParseError> : std::true_type {};
}  // namespace boost::system
