#include "wire/pcp/message.hpp"

#include <algorithm>

namespace p2pdiag::pcp {

namespace {

// RFC 6887 section 7.1: the "R" bit, "Indicates Request (0) or Response (1)".
constexpr std::uint8_t response_bit = 0x80;
// RFC 6887 section 11.1: nonce, protocol, two ports and an address.
constexpr std::size_t map_size = 36;
// RFC 6887 section 7.2, figure 3: the reserved 96 bits of a response.
constexpr std::size_t reserved_in_response = 12;
// RFC 6887 section 13.2, "PREFER_FAILURE": option code 2, length 0.
constexpr std::uint8_t prefer_failure_code = 2;

struct ParseCategory : boost::system::error_category {
    const char* name() const noexcept override { return "pcp"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::too_short: return "shorter than a PCP message of its kind";
            case ParseError::too_long: return "longer than the 1100 octets that PCP allows";
            case ParseError::bad_length: return "the length is no multiple of four";
            case ParseError::wrong_version: return "not PCP version 2";
            case ParseError::wrong_kind: return "a request instead of a response, or the reverse";
            case ParseError::bad_option: return "an option has an impossible length";
        }
        return "unknown PCP error";
    }
};

// RFC 6887 section 5: an IPv4 address stands in the 128 bits as an IPv4-mapped IPv6 address.
IpAddress read_address(ByteReader& reader) {
    std::array<std::uint8_t, 16> bytes{};
    const ByteView taken = reader.take(bytes.size());
    std::copy(taken.begin(), taken.end(), bytes.begin());
    return IpAddress::v6(bytes).unmapped();
}

void write_address(ByteWriter& writer, const IpAddress& address) {
    if (!address.is_v4()) return writer.append(address.bytes());
    writer.zeros(10);
    writer.u16(0xFFFF);
    writer.u32(address.v4_bits());
}

MapData read_map(ByteReader& reader) {
    MapData map;
    const ByteView nonce = reader.take(map.nonce.size());
    std::copy(nonce.begin(), nonce.end(), map.nonce.begin());
    map.protocol = reader.u8();
    reader.take(3);
    map.internal_port = reader.u16();
    map.external_port = reader.u16();
    map.external_address = read_address(reader);
    return map;
}

void write_map(ByteWriter& writer, const MapData& map) {
    writer.append(map.nonce);
    writer.u8(map.protocol);
    writer.zeros(3);
    writer.u16(map.internal_port);
    writer.u16(map.external_port);
    write_address(writer, map.external_address);
}

// RFC 6887 section 7.3: code, eight reserved bits, the length of the data without its padding to a
// multiple of four.
ErrorCode read_options(ByteReader& reader, bool& prefer_failure) {
    while (reader.remaining() > 0) {
        const std::uint8_t code = reader.u8();
        reader.u8();
        const std::size_t size = reader.u16();
        reader.take((size + 3) / 4 * 4);
        if (!reader.ok()) return ParseError::bad_option;
        if (code != prefer_failure_code) continue;
        if (size != 0) return ParseError::bad_option;
        prefer_failure = true;
    }
    return {};
}

void write_options(ByteWriter& writer, bool prefer_failure) {
    if (!prefer_failure) return;
    writer.u8(prefer_failure_code);
    writer.zeros(3);
}

// RFC 6887 section 8.3: "Responses shorter than 24 octets, longer than 1100 octets, or not a
// multiple of 4 octets are invalid and ignored"; section 8.2 says the same of requests.
ErrorCode check_size(ByteView datagram) {
    if (datagram.size() < header_size) return ParseError::too_short;
    if (datagram.size() > max_size) return ParseError::too_long;
    if (datagram.size() % 4 != 0) return ParseError::bad_length;
    return {};
}

}  // namespace

const boost::system::error_category& parse_category() {
    static const ParseCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

std::string_view to_string(ResultCode result) {
    switch (result) {
        case ResultCode::success: return "SUCCESS";
        case ResultCode::unsupp_version: return "UNSUPP_VERSION";
        case ResultCode::not_authorized: return "NOT_AUTHORIZED";
        case ResultCode::malformed_request: return "MALFORMED_REQUEST";
        case ResultCode::unsupp_opcode: return "UNSUPP_OPCODE";
        case ResultCode::unsupp_option: return "UNSUPP_OPTION";
        case ResultCode::malformed_option: return "MALFORMED_OPTION";
        case ResultCode::network_failure: return "NETWORK_FAILURE";
        case ResultCode::no_resources: return "NO_RESOURCES";
        case ResultCode::unsupp_protocol: return "UNSUPP_PROTOCOL";
        case ResultCode::user_ex_quota: return "USER_EX_QUOTA";
        case ResultCode::cannot_provide_external: return "CANNOT_PROVIDE_EXTERNAL";
        case ResultCode::address_mismatch: return "ADDRESS_MISMATCH";
        case ResultCode::excessive_remote_peers: return "EXCESSIVE_REMOTE_PEERS";
    }
    return "unknown result";
}

Result<Request> parse_request(ByteView datagram) {
    if (const ErrorCode error = check_size(datagram)) return error;
    ByteReader reader(datagram);
    if (reader.u8() != version) return ParseError::wrong_version;
    const std::uint8_t opcode = reader.u8();
    if ((opcode & response_bit) != 0) return ParseError::wrong_kind;
    Request request;
    request.opcode = static_cast<Opcode>(opcode);
    reader.u16();
    request.lifetime = reader.u32();
    request.client_address = read_address(reader);
    if (request.opcode == Opcode::map) {
        if (reader.remaining() < map_size) return ParseError::too_short;
        request.map = read_map(reader);
    }
    if (request.opcode != Opcode::map && request.opcode != Opcode::announce) return request;
    if (const ErrorCode error = read_options(reader, request.prefer_failure)) return error;
    return request;
}

Result<Response> parse_response(ByteView datagram) {
    ByteReader reader(datagram);
    Response response;
    response.version = reader.u8();
    const std::uint8_t opcode = reader.u8();
    reader.u8();
    response.result = static_cast<ResultCode>(reader.u8());
    if (!reader.ok()) return ParseError::too_short;
    if (response.version != version) {
        if (response.result != ResultCode::unsupp_version) return ParseError::wrong_version;
        return response;
    }
    if (const ErrorCode error = check_size(datagram)) return error;
    if ((opcode & response_bit) == 0) return ParseError::wrong_kind;
    response.opcode = static_cast<Opcode>(opcode & ~response_bit);
    response.lifetime = reader.u32();
    response.epoch = reader.u32();
    reader.take(reserved_in_response);
    const bool success = response.result == ResultCode::success;
    if (response.opcode == Opcode::map) {
        if (reader.remaining() >= map_size) {
            response.map = read_map(reader);
        } else if (success) {
            return ParseError::too_short;
        }
    }
    const bool known = response.opcode == Opcode::map || response.opcode == Opcode::announce;
    if (!success || !known) return response;
    if (const ErrorCode error = read_options(reader, response.prefer_failure)) return error;
    return response;
}

Bytes encode(const Request& request) {
    ByteWriter writer;
    writer.u8(version);
    writer.u8(static_cast<std::uint8_t>(request.opcode));
    writer.u16(0);
    writer.u32(request.lifetime);
    write_address(writer, request.client_address);
    if (request.map) write_map(writer, *request.map);
    write_options(writer, request.prefer_failure);
    return writer.take();
}

Bytes encode(const Response& response) {
    ByteWriter writer;
    writer.u8(response.version);
    writer.u8(static_cast<std::uint8_t>(response.opcode) | response_bit);
    writer.u8(0);
    writer.u8(static_cast<std::uint8_t>(response.result));
    writer.u32(response.lifetime);
    writer.u32(response.epoch);
    writer.zeros(reserved_in_response);
    if (response.map) write_map(writer, *response.map);
    write_options(writer, response.prefer_failure);
    return writer.take();
}

}  // namespace p2pdiag::pcp
