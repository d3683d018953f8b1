// NAT-PMP as RFC 6886 draws it, and what a broken router makes of it.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "hex.hpp"
#include "wire/natpmp/message.hpp"

using namespace p2pdiag;
using p2pdiag::testing::hex;

namespace {

ErrorCode error_of(ByteView bytes) {
    const auto parsed = natpmp::parse_response(bytes);
    return parsed ? ErrorCode() : parsed.error();
}

natpmp::Opcode any_opcode() { return static_cast<natpmp::Opcode>(*rc::gen::inRange(0, 3)); }

natpmp::Request any_request() {
    natpmp::Request request;
    request.opcode = any_opcode();
    if (request.opcode == natpmp::Opcode::external_address) return request;
    request.internal_port = *rc::gen::arbitrary<std::uint16_t>();
    request.external_port = *rc::gen::arbitrary<std::uint16_t>();
    request.lifetime = *rc::gen::arbitrary<std::uint32_t>();
    return request;
}

natpmp::Response any_response() {
    natpmp::Response response;
    response.opcode = any_opcode();
    response.result = static_cast<natpmp::ResultCode>(*rc::gen::inRange(0, 7));
    response.epoch = *rc::gen::arbitrary<std::uint32_t>();
    if (response.result != natpmp::ResultCode::success) {
        response.has_payload = *rc::gen::arbitrary<bool>();
    }
    if (!response.has_payload) return response;
    if (response.opcode == natpmp::Opcode::external_address) {
        response.external_address = IpAddress::v4(*rc::gen::arbitrary<std::uint32_t>());
        return response;
    }
    response.internal_port = *rc::gen::arbitrary<std::uint16_t>();
    response.external_port = *rc::gen::arbitrary<std::uint16_t>();
    response.lifetime = *rc::gen::arbitrary<std::uint32_t>();
    return response;
}

}  // namespace

TEST_CASE("NAT-PMP: the external address, RFC 6886 section 3.2") {
    natpmp::Request request;
    CHECK(natpmp::encode(request) == hex("00 00"));
    CHECK(natpmp::parse_request(hex("00 00")).value() == request);

    const Bytes bytes = hex("00 80 0000 00000102 c0000201");
    const auto response = natpmp::parse_response(bytes);
    REQUIRE(response.has_value());
    CHECK(response->opcode == natpmp::Opcode::external_address);
    CHECK(response->result == natpmp::ResultCode::success);
    CHECK(response->epoch == 0x102);
    CHECK(response->external_address.to_string() == "192.0.2.1");
    CHECK(natpmp::encode(*response) == bytes);
}

TEST_CASE("NAT-PMP: a mapping, RFC 6886 section 3.3") {
    natpmp::Request request;
    request.opcode = natpmp::map_opcode(Transport::tcp);
    request.internal_port = 0x1f40;
    request.external_port = 0x1f41;
    request.lifetime = 7200;
    const Bytes asked = hex("00 02 0000 1f40 1f41 00001c20");
    CHECK(natpmp::encode(request) == asked);
    CHECK(natpmp::parse_request(asked).value() == request);
    CHECK(natpmp::map_opcode(Transport::udp) == natpmp::Opcode::map_udp);

    const Bytes granted = hex("00 82 0000 00000001 1f40 9c40 00000e10");
    const auto response = natpmp::parse_response(granted);
    REQUIRE(response.has_value());
    CHECK(response->opcode == natpmp::Opcode::map_tcp);
    CHECK(response->internal_port == 8000);
    CHECK(response->external_port == 40000);
    CHECK(response->lifetime == 3600);
    CHECK(natpmp::encode(*response) == granted);
}

TEST_CASE("NAT-PMP: an error comes in every size that routers use") {
    const auto whole = natpmp::parse_response(hex("00 81 0002 00000007 1f40 0000 00000000"));
    REQUIRE(whole.has_value());
    CHECK(whole->result == natpmp::ResultCode::not_authorized);
    CHECK(whole->has_payload);
    CHECK(whole->internal_port == 8000);

    const auto header = natpmp::parse_response(hex("00 81 0004 00000007"));
    REQUIRE(header.has_value());
    CHECK(header->result == natpmp::ResultCode::out_of_resources);
    CHECK(header->epoch == 7);
    CHECK_FALSE(header->has_payload);

    // Section 3.5, an unsupported opcode: the request comes back. Its ports are no epoch.
    const auto echo = natpmp::parse_response(hex("00 81 0005 1f40 1f41 00001c20"));
    REQUIRE(echo.has_value());
    CHECK(echo->result == natpmp::ResultCode::unsupported_opcode);
    CHECK(echo->epoch == 0);
    CHECK_FALSE(echo->has_payload);

    // A success has to say what was granted.
    CHECK(error_of(hex("00 81 0000 00000007")) == natpmp::ParseError::bad_length);
    CHECK(error_of(hex("00 81 0000 1f40 1f41 00001c20")) == natpmp::ParseError::bad_length);
}

TEST_CASE("NAT-PMP: a PCP server tells its version") {
    const auto response =
        natpmp::parse_response(hex("02 80 00 01 00000000 00000009 000000000000000000000000"));
    REQUIRE(response.has_value());
    CHECK(int(response->version) == 2);
    CHECK(response->result == natpmp::ResultCode::unsupported_version);
    CHECK_FALSE(response->has_payload);
    CHECK(error_of(hex("02 80 00 00 00000000")) == natpmp::ParseError::wrong_version);
}

TEST_CASE("NAT-PMP: what is no response") {
    CHECK(error_of({}) == natpmp::ParseError::too_short);
    CHECK(error_of(hex("00 80 00")) == natpmp::ParseError::too_short);
    CHECK(error_of(hex("00 00 0000 00000001 c0000201")) == natpmp::ParseError::wrong_kind);
    CHECK(error_of(hex("00 83 0000 00000001 c0000201")) == natpmp::ParseError::unknown_opcode);
    CHECK(error_of(hex("00 ff 0001 00000001")) == natpmp::ParseError::unknown_opcode);
    // The two sizes, exchanged, and one octet too many.
    CHECK(error_of(hex("00 80 0000 00000001 c0000201 00000000")) == natpmp::ParseError::bad_length);
    CHECK(error_of(hex("00 81 0000 00000001 1f401f41")) == natpmp::ParseError::bad_length);
    CHECK(error_of(hex("00 80 0000 00000001 c0000201 00")) == natpmp::ParseError::bad_length);
    CHECK(natpmp::make_error_code(natpmp::ParseError::bad_length).message() ==
          "not the size that the opcode has");
}

TEST_CASE("NAT-PMP: what is no request") {
    const auto error = [](std::string_view text) {
        const auto parsed = natpmp::parse_request(hex(text));
        return parsed ? ErrorCode() : parsed.error();
    };
    CHECK(error("00") == natpmp::ParseError::too_short);
    CHECK(error("01 00") == natpmp::ParseError::wrong_version);
    CHECK(error("00 80") == natpmp::ParseError::wrong_kind);
    CHECK(error("00 03") == natpmp::ParseError::unknown_opcode);
    CHECK(error("00 00 00") == natpmp::ParseError::bad_length);
    CHECK(error("00 01 0000 1f40 1f41 00001c") == natpmp::ParseError::bad_length);
}

TEST_CASE("NAT-PMP: each result has words") {
    CHECK(to_string(natpmp::ResultCode::network_failure) == "network failure");
    CHECK(to_string(static_cast<natpmp::ResultCode>(999)) == "unknown result");
}

TEST_CASE("NAT-PMP: what is written is read back, at no other size") {
    CHECK(rc::check("requests", [] {
        const natpmp::Request sent = any_request();
        Bytes bytes = natpmp::encode(sent);
        RC_ASSERT(natpmp::parse_request(bytes).value() == sent);
        bytes.push_back(0);
        RC_ASSERT(natpmp::parse_request(bytes).has_error());
    }));
    CHECK(rc::check("responses", [] {
        const natpmp::Response sent = any_response();
        Bytes bytes = natpmp::encode(sent);
        RC_ASSERT(natpmp::parse_response(bytes).value() == sent);
        bytes.push_back(0);
        RC_ASSERT(natpmp::parse_response(bytes).has_error());
    }));
}

TEST_CASE("NAT-PMP: any bytes are parsed or refused, and what is parsed can be written again") {
    CHECK(rc::check("garbage", [] {
        Bytes bytes = *rc::gen::arbitrary<Bytes>();
        if (!bytes.empty() && *rc::gen::arbitrary<bool>()) bytes[0] = 0;
        if (const auto request = natpmp::parse_request(bytes)) {
            RC_ASSERT(natpmp::parse_request(natpmp::encode(*request)).value() == *request);
        }
        if (const auto response = natpmp::parse_response(bytes)) {
            RC_ASSERT(natpmp::parse_response(natpmp::encode(*response)).value() == *response);
        }
    }));
}
