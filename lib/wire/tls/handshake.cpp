#include "wire/tls/handshake.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace p2pdiag::tls {

namespace {

struct ParseCategory : boost::system::error_category {
    const char* name() const noexcept override { return "tls"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::too_short: return "a field runs past the end";
            case ParseError::not_tls: return "a value that TLS does not have";
        }
        return "unknown TLS error";
    }
};

constexpr std::size_t max_protocols = 16;

// RFC 8446 section 4.2.
namespace extension {
constexpr std::uint16_t server_name = 0;
constexpr std::uint16_t protocols = 16;
constexpr std::uint16_t supported_versions = 43;
}  // namespace extension

// RFC 8446 section 4.1.3: a ServerHello with this random is a HelloRetryRequest.
constexpr std::array<std::uint8_t, 32> retry_random = {
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

// RFC 8701: values of this form mean nothing and are sent to keep servers flexible.
bool is_grease(std::uint16_t value) {
    return (value & 0x0F0F) == 0x0A0A && value >> 8 == (value & 0xFF);
}

// RFC 6066 section 3: a list of (type, name); 0 is a host name.
std::string read_server_name(ByteView data) {
    ByteReader reader(data);
    reader.u16();
    const std::uint8_t type = reader.u8();
    const std::size_t size = reader.u16();
    const std::string_view name = as_text(reader.take(size));
    return reader.ok() && type == 0 ? printable(name, max_text) : std::string();
}

std::vector<std::string> read_protocols(ByteView data) {
    ByteReader reader(data);
    reader.u16();
    std::vector<std::string> all;
    while (reader.remaining() > 0 && all.size() < max_protocols) {
        const std::size_t size = reader.u8();
        const std::string_view name = as_text(reader.take(size));
        if (!reader.ok()) break;
        all.push_back(printable(name, max_text));
    }
    return all;
}

std::uint16_t highest_version(ByteView data, std::uint16_t otherwise) {
    ByteReader reader(data);
    reader.u8();
    std::uint16_t highest = 0;
    while (reader.remaining() >= 2) {
        const std::uint16_t version = reader.u16();
        if (!is_grease(version)) highest = std::max(highest, version);
    }
    return highest == 0 ? otherwise : highest;
}

// Calls `take(type, data)` for each extension; false where one runs past the end.
template <class Take>
bool for_each_extension(ByteReader& reader, Take take) {
    if (reader.remaining() == 0) return true;  // RFC 5246 section 7.4.1.2: there may be none
    const std::size_t size = reader.u16();
    ByteReader extensions(reader.take(size));
    if (!reader.ok()) return false;
    while (extensions.remaining() > 0) {
        const std::uint16_t type = extensions.u16();
        const std::size_t length = extensions.u16();
        const ByteView data = extensions.take(length);
        if (!extensions.ok()) return false;
        take(type, data);
    }
    return true;
}

}  // namespace

std::optional<RecordHeader> parse_record_header(ByteView start) {
    if (start.size() < record_header_size) return std::nullopt;
    ByteReader reader(start);
    const std::uint8_t type = reader.u8();
    const std::uint16_t version = reader.u16();
    const std::uint16_t length = reader.u16();
    const bool known = type >= 20 && type <= 23 && version >= 0x0300 && version <= 0x0304;
    if (!known || length > max_record) return std::nullopt;
    return RecordHeader{static_cast<ContentType>(type), length};
}

std::optional<HandshakeHeader> parse_handshake_header(ByteView start) {
    if (start.size() < handshake_header_size) return std::nullopt;
    ByteReader reader(start);
    const std::uint32_t word = reader.u32();
    return HandshakeHeader{static_cast<HandshakeType>(word >> 24), word & 0xFFFFFF};
}

std::string version_name(std::uint16_t version) {
    switch (version) {
        case 0x0300: return "SSL 3.0";
        case 0x0301: return "TLS 1.0";
        case 0x0302: return "TLS 1.1";
        case 0x0303: return "TLS 1.2";
        case 0x0304: return "TLS 1.3";
        default: break;
    }
    constexpr char digits[] = "0123456789abcdef";
    std::string text = "version 0x";
    for (int shift = 12; shift >= 0; shift -= 4) text += digits[version >> shift & 0xF];
    return text;
}

Result<ClientHello> parse_client_hello(ByteView body) {
    ByteReader reader(body);
    ClientHello hello;
    hello.version = reader.u16();
    reader.take(32);            // random
    reader.take(reader.u8());   // session id
    reader.take(reader.u16());  // cipher suites
    reader.take(reader.u8());   // compression methods
    if (!reader.ok()) return ParseError::too_short;
    if (hello.version >> 8 != 3) return ParseError::not_tls;
    const bool whole = for_each_extension(reader, [&](std::uint16_t type, ByteView data) {
        if (type == extension::server_name) hello.server_name = read_server_name(data);
        if (type == extension::protocols) hello.protocols = read_protocols(data);
        if (type == extension::supported_versions) {
            hello.version = highest_version(data, hello.version);
        }
    });
    if (!whole) return ParseError::too_short;
    return hello;
}

Result<ServerHello> parse_server_hello(ByteView body) {
    ByteReader reader(body);
    ServerHello hello;
    hello.version = reader.u16();
    const ByteView random = reader.take(retry_random.size());
    hello.retry = std::ranges::equal(random, retry_random);
    reader.take(reader.u8());  // session id
    reader.take(3);            // cipher suite, compression method
    if (!reader.ok()) return ParseError::too_short;
    if (hello.version >> 8 != 3) return ParseError::not_tls;
    const bool whole = for_each_extension(reader, [&](std::uint16_t type, ByteView data) {
        if (type == extension::supported_versions && data.size() == 2) {
            hello.version = ByteReader(data).u16();
        }
    });
    if (!whole) return ParseError::too_short;
    return hello;
}

Result<Alert> parse_alert(ByteView content) {
    if (content.size() < 2) return ParseError::too_short;
    // RFC 8446 section 6: a level of 1 or 2, and a description.
    if (content.size() > 2 || content[0] < 1 || content[0] > 2) return ParseError::not_tls;
    return Alert{content[0] == 2, content[1]};
}

std::string Alert::text() const {
    switch (description) {
        case 0: return "close_notify";
        case 10: return "unexpected_message";
        case 20: return "bad_record_mac";
        case 22: return "record_overflow";
        case 40: return "handshake_failure";
        case 42: return "bad_certificate";
        case 43: return "unsupported_certificate";
        case 44: return "certificate_revoked";
        case 45: return "certificate_expired";
        case 46: return "certificate_unknown";
        case 47: return "illegal_parameter";
        case 48: return "unknown_ca";
        case 49: return "access_denied";
        case 50: return "decode_error";
        case 51: return "decrypt_error";
        case 70: return "protocol_version";
        case 71: return "insufficient_security";
        case 80: return "internal_error";
        case 86: return "inappropriate_fallback";
        case 90: return "user_canceled";
        case 109: return "missing_extension";
        case 110: return "unsupported_extension";
        case 112: return "unrecognized_name";
        case 116: return "certificate_required";
        case 120: return "no_application_protocol";
        default: break;
    }
    return "alert " + std::to_string(static_cast<unsigned>(description));
}

const boost::system::error_category& parse_category() {
    static const ParseCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

}  // namespace p2pdiag::tls
