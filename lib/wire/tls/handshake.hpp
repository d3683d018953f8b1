// What a TLS connection says before it is encrypted: record headers, ClientHello, ServerHello and
// alerts (RFC 8446, RFC 5246). Bytes -> struct; nothing is decrypted, no key is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::tls {

// RFC 8446 section 5.1.
enum class ContentType : std::uint8_t {
    change_cipher_spec = 20,
    alert = 21,
    handshake = 22,
    application_data = 23
};

inline constexpr std::size_t record_header_size = 5;
// RFC 8446 section 5.2: "MUST NOT exceed 2^14 + 256 bytes"; RFC 5246 section 6.2.3 allowed 2048.
inline constexpr std::size_t max_record = (1 << 14) + 2048;

struct RecordHeader {
    ContentType type = ContentType::handshake;
    std::uint16_t length = 0;  // of what follows the header
};
// Nothing where `start` is too short, or begins no record of SSL 3.0 to TLS 1.3.
std::optional<RecordHeader> parse_record_header(ByteView start);

// RFC 8446 section 4.
enum class HandshakeType : std::uint8_t { client_hello = 1, server_hello = 2 };
inline constexpr std::size_t handshake_header_size = 4;

struct HandshakeHeader {
    HandshakeType type = HandshakeType::client_hello;  // or any other number
    std::size_t length = 0;                            // of what follows the header
};
std::optional<HandshakeHeader> parse_handshake_header(ByteView start);

// "TLS 1.3"; "version 0x1234" for one that is not known.
std::string version_name(std::uint16_t version);

// Texts are printable and at most max_text characters.
inline constexpr std::size_t max_text = 255;

struct ClientHello {
    std::uint16_t version = 0;           // the highest that is offered
    std::string server_name;             // RFC 6066 section 3; empty where there is none
    std::vector<std::string> protocols;  // ALPN, RFC 7301; at most 16
};

struct ServerHello {
    std::uint16_t version = 0;  // the one that is used
    bool retry = false;         // RFC 8446 section 4.1.4: HelloRetryRequest
};

struct Alert {
    bool fatal = false;
    std::uint8_t description = 0;
    std::string text() const;  // "handshake_failure", or "alert 123"
};

enum class ParseError {
    too_short = 1,  // a field runs past the end
    not_tls         // an impossible value
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

// What follows the handshake header. A hello that breaks off within its extensions is refused.
Result<ClientHello> parse_client_hello(ByteView body);
Result<ServerHello> parse_server_hello(ByteView body);
// The content of an alert record. An encrypted one has another size, and is refused.
Result<Alert> parse_alert(ByteView content);

}  // namespace p2pdiag::tls

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::tls::ParseError> : std::true_type {};
}  // namespace boost::system
