#include "wire/natpmp/message.hpp"

namespace p2pdiag::natpmp {

namespace {

// RFC 6886 section 3.5: a response has 128 added to the opcode of its request.
constexpr std::uint8_t response_bit = 0x80;

// RFC 6886 section 3.2 draws two octets, section 3.3 twelve.
constexpr std::size_t address_request_size = 2;
constexpr std::size_t map_request_size = 12;
// RFC 6886 section 3.2: version, opcode, result and epoch, then the address …
constexpr std::size_t header_size = 8;
constexpr std::size_t address_response_size = 12;
// … and section 3.3: two ports and a lifetime.
constexpr std::size_t map_response_size = 16;

struct ParseCategory : boost::system::error_category {
    const char* name() const noexcept override { return "natpmp"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::too_short: return "shorter than a NAT-PMP header";
            case ParseError::wrong_version: return "not NAT-PMP version 0";
            case ParseError::wrong_kind: return "a request instead of a response, or the reverse";
            case ParseError::unknown_opcode: return "an opcode that NAT-PMP does not have";
            case ParseError::bad_length: return "not the size that the opcode has";
        }
        return "unknown NAT-PMP error";
    }
};

bool is_known(std::uint8_t opcode) { return opcode <= static_cast<std::uint8_t>(Opcode::map_tcp); }

std::size_t request_size(Opcode opcode) {
    return opcode == Opcode::external_address ? address_request_size : map_request_size;
}

std::size_t response_size(Opcode opcode) {
    return opcode == Opcode::external_address ? address_response_size : map_response_size;
}

void read_payload(ByteReader& reader, Response& response) {
    if (response.opcode == Opcode::external_address) {
        response.external_address = IpAddress::v4(reader.u32());
        return;
    }
    response.internal_port = reader.u16();
    response.external_port = reader.u16();
    response.lifetime = reader.u32();
}

}  // namespace

const boost::system::error_category& parse_category() {
    static const ParseCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

std::string_view to_string(ResultCode result) {
    switch (result) {
        case ResultCode::success: return "success";
        case ResultCode::unsupported_version: return "unsupported version";
        case ResultCode::not_authorized: return "not authorized";
        case ResultCode::network_failure: return "network failure";
        case ResultCode::out_of_resources: return "out of resources";
        case ResultCode::unsupported_opcode: return "unsupported opcode";
    }
    return "unknown result";
}

Result<Request> parse_request(ByteView datagram) {
    ByteReader reader(datagram);
    const std::uint8_t number = reader.u8();
    const std::uint8_t opcode = reader.u8();
    if (!reader.ok()) return ParseError::too_short;
    if (number != version) return ParseError::wrong_version;
    if ((opcode & response_bit) != 0) return ParseError::wrong_kind;
    if (!is_known(opcode)) return ParseError::unknown_opcode;
    Request request;
    request.opcode = static_cast<Opcode>(opcode);
    if (datagram.size() != request_size(request.opcode)) return ParseError::bad_length;
    if (request.opcode == Opcode::external_address) return request;
    reader.u16();  // reserved, "MUST be set to zero on transmission and MUST be ignored"
    request.internal_port = reader.u16();
    request.external_port = reader.u16();
    request.lifetime = reader.u32();
    return request;
}

Result<Response> parse_response(ByteView datagram) {
    ByteReader reader(datagram);
    const std::uint8_t number = reader.u8();
    const std::uint8_t opcode = reader.u8();
    Response response;
    response.result = static_cast<ResultCode>(reader.u16());
    if (!reader.ok()) return ParseError::too_short;
    if (number != version) {
        if (response.result != ResultCode::unsupported_version) return ParseError::wrong_version;
        response.version = number;
        response.has_payload = false;
        return response;
    }
    if ((opcode & response_bit) == 0) return ParseError::wrong_kind;
    if (!is_known(opcode & ~response_bit & 0xFF)) return ParseError::unknown_opcode;
    response.opcode = static_cast<Opcode>(opcode & ~response_bit);

    if (datagram.size() == response_size(response.opcode)) {
        response.epoch = reader.u32();
        read_payload(reader, response);
        return response;
    }
    if (response.result == ResultCode::success) return ParseError::bad_length;
    response.has_payload = false;
    if (datagram.size() == header_size) {
        response.epoch = reader.u32();
        return response;
    }
    // RFC 6886 section 3.5: for an unsupported opcode the packet itself is returned, with the
    // result written into it.
    if (datagram.size() == request_size(response.opcode)) return response;
    return ParseError::bad_length;
}

Bytes encode(const Request& request) {
    ByteWriter writer;
    writer.u8(version);
    writer.u8(static_cast<std::uint8_t>(request.opcode));
    if (request.opcode == Opcode::external_address) return writer.take();
    writer.u16(0);
    writer.u16(request.internal_port);
    writer.u16(request.external_port);
    writer.u32(request.lifetime);
    return writer.take();
}

Bytes encode(const Response& response) {
    ByteWriter writer;
    writer.u8(response.version);
    writer.u8(static_cast<std::uint8_t>(response.opcode) | response_bit);
    writer.u16(static_cast<std::uint16_t>(response.result));
    writer.u32(response.epoch);
    if (!response.has_payload) return writer.take();
    if (response.opcode == Opcode::external_address) {
        writer.u32(response.external_address.is_v4() ? response.external_address.v4_bits() : 0);
        return writer.take();
    }
    writer.u16(response.internal_port);
    writer.u16(response.external_port);
    writer.u32(response.lifetime);
    return writer.take();
}

}  // namespace p2pdiag::natpmp
