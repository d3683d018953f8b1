// DNS messages, bytes -> struct: RFC 1035, as far as it takes to tell who asked what and what came
// back. No socket, clock or random number in here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::dns {

inline constexpr std::uint16_t port = 53;
// RFC 6762 section 3: multicast DNS.
inline constexpr std::uint16_t multicast_port = 5353;

// RFC 1035 section 3.2.2, RFC 3596, RFC 2782, RFC 9460. Any other number may come.
enum class Type : std::uint16_t {
    a = 1,
    ns = 2,
    cname = 5,
    soa = 6,
    ptr = 12,
    mx = 15,
    txt = 16,
    aaaa = 28,
    srv = 33,
    https = 65,
    any = 255
};
std::string to_string(Type type);  // "AAAA", or "type 123"

// RFC 1035 section 4.1.1.
enum class ResponseCode : std::uint8_t {
    no_error = 0,
    format_error = 1,
    server_failure = 2,
    name_error = 3,
    not_implemented = 4,
    refused = 5
};
std::string_view to_string(ResponseCode code);  // "NXDOMAIN"; "unknown code" for any other number

// Names are printable, without the dot at the end; the root is ".".
struct Question {
    std::string name;
    Type type = Type::a;
    friend bool operator==(const Question&, const Question&) = default;
};

struct Record {
    std::string name;
    Type type = Type::a;
    std::uint32_t ttl = 0;             // seconds
    std::optional<IpAddress> address;  // of A and AAAA
    std::string target;                // of CNAME, NS and PTR
};

struct Message {
    std::uint16_t id = 0;
    bool response = false;
    bool truncated = false;  // the TC bit: ask again by TCP
    std::uint8_t opcode = 0;
    ResponseCode code = ResponseCode::no_error;
    std::vector<Question> questions;
    std::vector<Record> answers;  // of the answer section, at most max_records
    // Set where the message breaks off or contradicts itself after its questions: the answers are
    // those before.
    bool answers_cut = false;
};

// RFC 1035 section 2.3.4: a name has at most 255 octets.
inline constexpr std::size_t max_name = 255;
// Far more than anybody asks or answers in one message.
inline constexpr std::size_t max_questions = 8;
inline constexpr std::size_t max_records = 64;

enum class ParseError {
    too_short = 1,       // less than a header
    too_many_questions,  // more than max_questions
    bad_name,            // runs past the end, in a circle, or is longer than a name may be
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

// One message as a datagram has it.
Result<Message> parse(ByteView datagram);

}  // namespace p2pdiag::dns

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::dns::ParseError> : std::true_type {};
}  // namespace boost::system
