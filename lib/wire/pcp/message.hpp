// PCP messages, bytes <-> struct, both directions: RFC 6887 with the opcodes ANNOUNCE and MAP and
// the option PREFER_FAILURE. No socket, clock or random number in here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/transport.hpp"

namespace p2pdiag::pcp {

// RFC 6887 section 7.1: "This document specifies protocol version 2."
inline constexpr std::uint8_t version = 2;
// RFC 6887 section 19.1: the server listens on UDP port 5351, as NAT-PMP's does, and sends its
// unsolicited announcements to 5350.
inline constexpr std::uint16_t server_port = 5351;
inline constexpr std::uint16_t client_port = 5350;
// RFC 6887 section 7: "a maximum UDP payload length of 1100 octets".
inline constexpr std::size_t max_size = 1100;
// RFC 6887 sections 7.1 and 7.2: the common header of requests and of responses.
inline constexpr std::size_t header_size = 24;

// RFC 6887 section 11.1: "Random value chosen by the PCP client", 96 bits.
using Nonce = std::array<std::uint8_t, 12>;

// RFC 6887 section 19.2. A message with any other opcode is parsed up to its header.
enum class Opcode : std::uint8_t { announce = 0, map = 1, peer = 2 };

// RFC 6887 section 7.4.
enum class ResultCode : std::uint8_t {
    success = 0,
    unsupp_version = 1,
    not_authorized = 2,
    malformed_request = 3,
    unsupp_opcode = 4,
    unsupp_option = 5,
    malformed_option = 6,
    network_failure = 7,
    no_resources = 8,
    unsupp_protocol = 9,
    user_ex_quota = 10,
    cannot_provide_external = 11,
    address_mismatch = 12,
    excessive_remote_peers = 13
};
// As the RFC writes it, "UNSUPP_VERSION"; "unknown result" for any other number.
std::string_view to_string(ResultCode result);

// RFC 6887 section 11.1: the protocol is a number "from [proto_numbers]".
constexpr std::uint8_t protocol_number(Transport transport) {
    return transport == Transport::udp ? 17 : 6;
}

// RFC 6887 section 11.1, figures 9 and 10: the same fields in both directions.
struct MapData {
    Nonce nonce{};
    std::uint8_t protocol = 0;  // 0 = all of them
    std::uint16_t internal_port = 0;
    std::uint16_t external_port = 0;  // suggested, or assigned
    IpAddress external_address;       // suggested, or assigned

    friend bool operator==(const MapData&, const MapData&) = default;
};

struct Request {
    Opcode opcode = Opcode::announce;
    std::uint32_t lifetime = 0;  // seconds; 0 removes
    IpAddress client_address;    // as the client sees itself: how a server notices a NAT between
    std::optional<MapData> map;  // with opcode map, always
    bool prefer_failure = false;

    friend bool operator==(const Request&, const Request&) = default;
};

struct Response {
    // Anything but 2 comes with unsupp_version and nothing else: RFC 6887 section 9, the highest
    // version that the server knows. 0 is NAT-PMP.
    std::uint8_t version = pcp::version;
    Opcode opcode = Opcode::announce;  // of the request that is answered
    ResultCode result = ResultCode::success;
    // Seconds: of the mapping, or how long the error will hold (section 7.2).
    std::uint32_t lifetime = 0;
    std::uint32_t epoch = 0;     // seconds since the server lost its state, or started
    std::optional<MapData> map;  // with opcode map; an error may come without
    bool prefer_failure = false;

    friend bool operator==(const Response&, const Response&) = default;
};

enum class ParseError {
    too_short = 1,  // less than what the header or the opcode has
    too_long,       // more than 1100 octets
    bad_length,     // no multiple of four
    wrong_version,  // not version 2, and no word on which would do
    wrong_kind,     // a response where a request is expected, or the other way round
    bad_option      // an option that runs past the end, or has an impossible length
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

// Exactly one message. Options other than PREFER_FAILURE are skipped, those of an error response
// not even looked at: section 8.2 has it carry the request as it came, however broken that was.
Result<Request> parse_request(ByteView datagram);
Result<Response> parse_response(ByteView datagram);

Bytes encode(const Request& request);
Bytes encode(const Response& response);

}  // namespace p2pdiag::pcp

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::pcp::ParseError> : std::true_type {};
}  // namespace boost::system
