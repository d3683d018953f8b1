// The head of an HTTP/1 message, bytes -> struct: RFC 9112, as far as it takes to tell what was
// asked and what came back. No socket in here; the client is lib/net/http.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::http {

inline constexpr std::size_t max_head = 16 * 1024;
inline constexpr std::size_t max_headers = 128;
inline constexpr std::size_t max_value = 512;

struct Header {
    std::string name;   // as it was written
    std::string value;  // without the blanks around it
};

// Texts are printable and at most max_value characters.
struct Head {
    bool response = false;
    std::string method;  // of a request
    std::string target;
    int status = 0;  // of a response, 100 to 999
    std::string reason;
    std::vector<Header> headers;
    std::size_t size = 0;  // bytes, with the empty line at the end

    // The first one of this name, in any case; empty where there is none.
    std::string_view find(std::string_view name) const;
    // RFC 9112 section 6: bytes that follow; nothing where the message does not say, or says it in
    // chunks.
    std::optional<std::uint64_t> content_length() const;
    // RFC 6455 section 4: a request for, or the start of, a WebSocket.
    bool is_websocket_upgrade() const;
};

// Whether it may be the beginning of a head: a method, or "HTTP/1.". Needs a few bytes only.
bool looks_like_http(ByteView start);

enum class ParseError {
    incomplete = 1,  // the empty line at the end is not there yet
    too_large,       // more than max_head or max_headers
    not_http         // the first line is neither a request's nor a response's
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

// The head that `stream` begins with; what follows it does not matter. Lines may end with LF alone.
Result<Head> parse_head(ByteView stream);

}  // namespace p2pdiag::http

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::http::ParseError> : std::true_type {};
}  // namespace boost::system
