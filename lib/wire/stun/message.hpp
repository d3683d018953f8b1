// STUN messages, bytes <-> struct: RFC 8489, the NAT behaviour discovery attributes of RFC 5780,
// and the classic replies of RFC 3489 that old servers still send. No socket, clock or random
// number in here.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::stun {

// RFC 8489 section 5: "The Magic Cookie field MUST contain the fixed value 0x2112A442 in network
// byte order."
inline constexpr std::uint32_t magic_cookie = 0x2112A442;
// RFC 8489 section 5: all STUN messages start "with a 20-byte header".
inline constexpr std::size_t header_size = 20;
// RFC 8489 section 14: default ports are 3478 (UDP, TCP) and 5349 (TLS).
inline constexpr std::uint16_t default_port = 3478;
inline constexpr std::uint16_t default_tls_port = 5349;

// 96 bits. A classic message (no cookie) has 128; its first 32 are kept in Message::cookie.
using TransactionId = std::array<std::uint8_t, 12>;

enum class Class : std::uint8_t { request = 0, indication = 1, success = 2, error = 3 };

// RFC 8489 section 18.2, RFC 8656 section 17.
enum class Method : std::uint16_t { binding = 0x001 };

// RFC 5780 section 7.2.
struct ChangeRequest {
    bool address = false;
    bool port = false;
    friend bool operator==(const ChangeRequest&, const ChangeRequest&) = default;
};

struct ErrorCodeAttribute {
    int code = 0;  // 300 to 699
    std::string reason;
};

// An attribute without a member of its own below, in the order it stood in the message.
struct RawAttribute {
    std::uint16_t type = 0;
    Bytes value;
};

enum class Seen : std::uint8_t { absent, valid, invalid };

struct Message {
    Class message_class = Class::request;
    Method method = Method::binding;
    std::uint32_t cookie = magic_cookie;  // anything else marks a classic (RFC 3489) message
    TransactionId transaction{};

    std::optional<Endpoint> mapped_address;
    std::optional<Endpoint> xor_mapped_address;
    std::optional<Endpoint> other_address;     // OTHER-ADDRESS, or CHANGED-ADDRESS of RFC 3489
    std::optional<Endpoint> response_origin;   // RESPONSE-ORIGIN, or SOURCE-ADDRESS of RFC 3489
    std::optional<Endpoint> alternate_server;  // of a 300 error
    std::optional<ChangeRequest> change_request;
    std::optional<std::uint16_t> response_port;  // RFC 5780 section 7.5
    std::optional<ErrorCodeAttribute> error;
    std::vector<std::uint16_t> unknown_attributes;  // the content of UNKNOWN-ATTRIBUTES
    std::optional<std::string> software;
    std::optional<std::string> username;
    std::optional<std::string> realm;
    std::optional<std::string> nonce;
    std::vector<RawAttribute> others;

    Seen fingerprint = Seen::absent;  // set by parse()
    bool has_integrity = false;       // set by parse(); check_integrity() tells whether it is right

    bool is_classic() const { return cookie != magic_cookie; }
    // XOR-MAPPED-ADDRESS where there is one, since a NAT may have rewritten the plain one.
    std::optional<Endpoint> reflexive_address() const {
        return xor_mapped_address ? xor_mapped_address : mapped_address;
    }
};

enum class ParseError {
    too_short = 1,        // less than a header
    not_stun,             // the two top bits are not zero
    bad_length,           // the length field is no multiple of four, or is not what follows
    truncated_attribute,  // an attribute runs past the end
    bad_attribute,        // a known attribute has an impossible value
    too_many_attributes   // more than any real message has
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

// The first byte, length and cookie fit: cheap, for telling STUN from other traffic on one socket
// (RFC 7983). A classic message passes too where its length fits.
bool looks_like_stun(ByteView datagram);

// How long the message is, header included, that begins with `start` on a stream (RFC 8489 section
// 6.2.2). An error where no message begins like that, or where `start` is less than a header.
Result<std::size_t> size_on_stream(ByteView start);

// Exactly one message. Attributes after MESSAGE-INTEGRITY other than FINGERPRINT are ignored (RFC
// 8489 14.5).
Result<Message> parse(ByteView datagram);

// An address of a host that something could be sent to.
bool is_usable(const Endpoint& endpoint);

// What a message is as the answer to a Binding request. Success: with an address that is_usable().
// Error: with its code. Else it is to be discarded: the FINGERPRINT is wrong, or there is an
// attribute that has to be understood (below 0x8000) and is not known (RFC 8489 sections 6.3 and
// 6.3.3).
enum class BindingResponse : std::uint8_t { invalid, success, error };
BindingResponse as_binding_response(const Message& message);

// HMAC-SHA1 over `data`; lib/crypto has it, so that this library needs no crypto.
using HmacSha1 = std::function<std::array<std::uint8_t, 20>(ByteView key, ByteView data)>;

struct EncodeOptions {
    bool fingerprint = true;  // RFC 8489 section 14.7; leave out for a classic message
    // Both or neither: adds MESSAGE-INTEGRITY (section 14.5) with this key.
    Bytes integrity_key;
    HmacSha1 hmac;
};

Bytes encode(const Message& message, const EncodeOptions& options = {});

// Whether the MESSAGE-INTEGRITY in `datagram` is that of `key`. False too when there is none.
bool check_integrity(ByteView datagram, ByteView key, const HmacSha1& hmac);

}  // namespace p2pdiag::stun

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::stun::ParseError> : std::true_type {};
}  // namespace boost::system
