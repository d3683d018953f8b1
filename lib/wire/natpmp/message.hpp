// NAT-PMP messages, bytes <-> struct, both directions: RFC 6886. No socket, clock or random number
// in here.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/transport.hpp"

namespace p2pdiag::natpmp {

// RFC 6886 section 3.2: the first octet of every packet is "Vers = 0".
inline constexpr std::uint8_t version = 0;
// RFC 6886 section 3.1: a client sends "its request packet to port 5351 of its configured gateway
// address".
inline constexpr std::uint16_t server_port = 5351;
// RFC 6886 section 3.2.1: a gateway announces its address by multicast "to 224.0.0.1:5350".
inline constexpr std::uint16_t client_port = 5350;

// RFC 6886 sections 3.2 and 3.3.
enum class Opcode : std::uint8_t { external_address = 0, map_udp = 1, map_tcp = 2 };

constexpr Opcode map_opcode(Transport transport) {
    return transport == Transport::udp ? Opcode::map_udp : Opcode::map_tcp;
}

// RFC 6886 section 3.5, "Result Codes".
enum class ResultCode : std::uint16_t {
    success = 0,
    unsupported_version = 1,
    not_authorized = 2,   // "box supports mapping, but user has turned feature off"
    network_failure = 3,  // "NAT box itself has not obtained a DHCP lease"
    out_of_resources = 4,
    unsupported_opcode = 5
};
std::string_view to_string(ResultCode result);  // in words; "unknown result" for any other number

struct Request {
    Opcode opcode = Opcode::external_address;
    // Of a mapping alone. RFC 6886 section 3.4: a lifetime of 0 removes, and with an internal port
    // of 0 it removes every mapping of the client.
    std::uint16_t internal_port = 0;
    std::uint16_t external_port = 0;  // suggested; 0 = whichever
    std::uint32_t lifetime = 0;       // seconds

    friend bool operator==(const Request&, const Request&) = default;
};

struct Response {
    // Anything but 0 is the highest version that the server knows, and comes with
    // unsupported_version and nothing else: RFC 6887 section 9, a PCP server says 2.
    std::uint8_t version = natpmp::version;
    Opcode opcode = Opcode::external_address;  // of the request that is answered
    ResultCode result = ResultCode::success;
    std::uint32_t epoch = 0;  // seconds since the gateway's mapping table was empty
    // False where an error came as the bare header: the members below were not sent.
    bool has_payload = true;
    IpAddress external_address;       // external_address alone; 0.0.0.0 where there is none
    std::uint16_t internal_port = 0;  // mappings alone
    std::uint16_t external_port = 0;
    std::uint32_t lifetime = 0;  // seconds

    friend bool operator==(const Response&, const Response&) = default;
};

enum class ParseError {
    too_short = 1,  // less than what every packet has
    wrong_version,  // not version 0, and no word on which would do
    wrong_kind,     // a response where a request is expected, or the other way round
    unknown_opcode,
    bad_length  // not the size that RFC 6886 gives this opcode
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

// Exactly one message. The sizes of section 3 are exact: 2 or 12 octets for a request, 12 or 16 for
// a response. An error may also come as the eight octets of the header, or as the request itself
// with its first four octets overwritten (section 3.5); `epoch` is 0 then.
Result<Request> parse_request(ByteView datagram);
Result<Response> parse_response(ByteView datagram);

Bytes encode(const Request& request);
Bytes encode(const Response& response);

}  // namespace p2pdiag::natpmp

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::natpmp::ParseError> : std::true_type {};
}  // namespace boost::system
