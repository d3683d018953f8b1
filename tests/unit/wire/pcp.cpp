// PCP as RFC 6887 draws it, and what a broken or hostile server makes of it.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "hex.hpp"
#include "wire/pcp/message.hpp"

using namespace p2pdiag;
using p2pdiag::testing::hex;

namespace {

const std::string nonce = "000102030405060708090a0b";

ErrorCode error_of(ByteView bytes) {
    const auto parsed = pcp::parse_response(bytes);
    return parsed ? ErrorCode() : parsed.error();
}

pcp::MapData any_map() {
    pcp::MapData map;
    map.nonce = *rc::gen::arbitrary<pcp::Nonce>();
    map.protocol = *rc::gen::arbitrary<std::uint8_t>();
    map.internal_port = *rc::gen::arbitrary<std::uint16_t>();
    map.external_port = *rc::gen::arbitrary<std::uint16_t>();
    map.external_address =
        *rc::gen::arbitrary<bool>()
            ? IpAddress::v4(*rc::gen::arbitrary<std::uint32_t>())
            : IpAddress::v6(*rc::gen::arbitrary<std::array<std::uint8_t, 16>>()).unmapped();
    return map;
}

pcp::Request any_request() {
    pcp::Request request;
    request.lifetime = *rc::gen::arbitrary<std::uint32_t>();
    request.client_address = any_map().external_address;
    if (*rc::gen::arbitrary<bool>()) {
        request.opcode = pcp::Opcode::map;
        request.map = any_map();
    }
    request.prefer_failure = *rc::gen::arbitrary<bool>();
    return request;
}

pcp::Response any_response() {
    pcp::Response response;
    response.result = static_cast<pcp::ResultCode>(*rc::gen::inRange(0, 16));
    response.lifetime = *rc::gen::arbitrary<std::uint32_t>();
    response.epoch = *rc::gen::arbitrary<std::uint32_t>();
    if (*rc::gen::arbitrary<bool>()) {
        response.opcode = pcp::Opcode::map;
        response.map = any_map();
    }
    if (response.result == pcp::ResultCode::success) {
        response.prefer_failure = *rc::gen::arbitrary<bool>();
    }
    return response;
}

}  // namespace

TEST_CASE("PCP: ANNOUNCE, RFC 6887 sections 7.1, 7.2 and 14.1") {
    pcp::Request request;
    request.client_address = *IpAddress::parse("192.168.7.2");
    const Bytes asked = hex("02 00 0000 00000000 00000000000000000000ffffc0a80702");
    CHECK(pcp::encode(request) == asked);
    CHECK(pcp::parse_request(asked).value() == request);

    const Bytes answered = hex("02 80 00 00 00000000 00000102 000000000000000000000000");
    const auto response = pcp::parse_response(answered);
    REQUIRE(response.has_value());
    CHECK(response->opcode == pcp::Opcode::announce);
    CHECK(response->result == pcp::ResultCode::success);
    CHECK(response->epoch == 0x102);
    CHECK_FALSE(response->map);
    CHECK(pcp::encode(*response) == answered);
}

TEST_CASE("PCP: MAP with PREFER_FAILURE, RFC 6887 sections 11.1 and 13.2") {
    pcp::Request request;
    request.opcode = pcp::Opcode::map;
    request.lifetime = 7200;
    request.client_address = *IpAddress::parse("2001:db8::2");
    request.map = pcp::MapData{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
                               pcp::protocol_number(Transport::udp),
                               8000,
                               8001,
                               *IpAddress::parse("::")};
    request.prefer_failure = true;
    const Bytes asked = hex("02 01 0000 00001c20 20010db8000000000000000000000002" + nonce +
                            "11 000000 1f40 1f41 00000000000000000000000000000000" + "02 00 0000");
    CHECK(pcp::encode(request) == asked);
    CHECK(pcp::parse_request(asked).value() == request);

    const Bytes granted = hex("02 81 00 00 00000e10 00000001 000000000000000000000000" + nonce +
                              "06 000000 1f40 9c40 00000000000000000000ffffcb007105");
    const auto response = pcp::parse_response(granted);
    REQUIRE(response.has_value());
    REQUIRE(response->map);
    CHECK(response->lifetime == 3600);
    CHECK(response->map->nonce == request.map->nonce);
    CHECK(response->map->protocol == pcp::protocol_number(Transport::tcp));
    CHECK(response->map->internal_port == 8000);
    CHECK(response->map->external_port == 40000);
    CHECK(response->map->external_address.to_string() == "203.0.113.5");
    CHECK(pcp::encode(*response) == granted);
}

TEST_CASE("PCP: options are skipped, if their lengths allow it") {
    const std::string header = "02 80 00 00 00000000 00000001 000000000000000000000000";
    // An unknown one with three octets and one of padding, then PREFER_FAILURE.
    const auto some = pcp::parse_response(hex(header + "80 00 0003 aabbcc00" + "02 00 0000"));
    REQUIRE(some.has_value());
    CHECK(some->prefer_failure);
    CHECK(error_of(hex(header + "80 00 0004")) == pcp::ParseError::bad_option);
    CHECK(error_of(hex(header + "80 00 ffff aabbccdd")) == pcp::ParseError::bad_option);
    CHECK(error_of(hex(header + "02 00 0001 00000000")) == pcp::ParseError::bad_option);
}

TEST_CASE("PCP: an error carries the request as it came, or nothing") {
    const std::string header = "02 81 00 08 0000001e 00000001 000000000000000000000000";
    const auto bare = pcp::parse_response(hex(header));
    REQUIRE(bare.has_value());
    CHECK(bare->result == pcp::ResultCode::no_resources);
    CHECK(bare->lifetime == 30);
    CHECK_FALSE(bare->map);

    const auto copied = pcp::parse_response(hex(
        header + nonce + "11 000000 1f40 1f41 00000000000000000000ffff00000000" + "80 00 ffff"));
    REQUIRE(copied.has_value());
    REQUIRE(copied->map);
    CHECK(copied->map->internal_port == 8000);
    CHECK(copied->map->external_address.to_string() == "0.0.0.0");

    // A success without a mapping is none.
    CHECK(error_of(hex("02 81 00 00 0000001e 00000001 000000000000000000000000")) ==
          pcp::ParseError::too_short);
}

TEST_CASE("PCP: a NAT-PMP server tells its version") {
    const auto response = pcp::parse_response(hex("00 81 0001 00000009"));
    REQUIRE(response.has_value());
    CHECK(int(response->version) == 0);
    CHECK(response->result == pcp::ResultCode::unsupp_version);
    CHECK(error_of(hex("00 80 0000 00000009 c0000201")) == pcp::ParseError::wrong_version);
}

TEST_CASE("PCP: what is no response") {
    const Bytes good = hex("02 80 00 00 00000000 00000001 000000000000000000000000");
    for (std::size_t size = 0; size < good.size(); ++size) {
        const Bytes part(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(error_of(part) == pcp::ParseError::too_short);
    }
    Bytes longer = good;
    longer.push_back(0);
    CHECK(error_of(longer) == pcp::ParseError::bad_length);
    longer.resize(1100);
    CHECK(error_of(longer) == ErrorCode());  // options of code 0 and length 0
    longer.resize(1104);
    CHECK(error_of(longer) == pcp::ParseError::too_long);
    Bytes request = good;
    request[1] = 0;
    CHECK(error_of(request) == pcp::ParseError::wrong_kind);
    CHECK(pcp::make_error_code(pcp::ParseError::too_long).message() ==
          "longer than the 1100 octets that PCP allows");
}

TEST_CASE("PCP: what is no request") {
    const auto error = [](const Bytes& bytes) {
        const auto parsed = pcp::parse_request(bytes);
        return parsed ? ErrorCode() : parsed.error();
    };
    pcp::Request request;
    request.opcode = pcp::Opcode::map;
    request.map = pcp::MapData{};
    const Bytes good = pcp::encode(request);
    CHECK(error(good) == ErrorCode());
    CHECK(error(Bytes(good.begin(), good.end() - 4)) == pcp::ParseError::too_short);
    CHECK(error(Bytes(good.begin(), good.end() - 1)) == pcp::ParseError::bad_length);
    CHECK(error({}) == pcp::ParseError::too_short);
    Bytes bad = good;
    bad[0] = 1;
    CHECK(error(bad) == pcp::ParseError::wrong_version);
    bad = good;
    bad[1] |= 0x80;
    CHECK(error(bad) == pcp::ParseError::wrong_kind);
    // Of another opcode only the header is read: what follows is not ours to judge.
    bad = good;
    bad[1] = 2;
    const auto peer = pcp::parse_request(bad);
    REQUIRE(peer.has_value());
    CHECK(peer->opcode == pcp::Opcode::peer);
    CHECK_FALSE(peer->map);
}

TEST_CASE("PCP: each result has its name") {
    CHECK(to_string(pcp::ResultCode::address_mismatch) == "ADDRESS_MISMATCH");
    CHECK(to_string(static_cast<pcp::ResultCode>(200)) == "unknown result");
}

TEST_CASE("PCP: what is written is read back") {
    CHECK(rc::check("requests", [] {
        const pcp::Request sent = any_request();
        RC_ASSERT(pcp::parse_request(pcp::encode(sent)).value() == sent);
    }));
    CHECK(rc::check("responses", [] {
        const pcp::Response sent = any_response();
        RC_ASSERT(pcp::parse_response(pcp::encode(sent)).value() == sent);
    }));
}

TEST_CASE("PCP: any bytes are parsed or refused, and what is parsed can be written again") {
    CHECK(rc::check("garbage", [] {
        Bytes bytes = *rc::gen::arbitrary<Bytes>();
        if (*rc::gen::arbitrary<bool>()) {
            // Past the checks of the header, so that the options are reached.
            bytes.resize(pcp::header_size + bytes.size() / 4 * 4);
            bytes[0] = 2;
            bytes[1] = *rc::gen::element<std::uint8_t>(0x00, 0x01, 0x80, 0x81);
        }
        if (const auto request = pcp::parse_request(bytes)) {
            RC_ASSERT(pcp::parse_request(pcp::encode(*request)).value() == *request);
        }
        const auto response = pcp::parse_response(bytes);
        if (response && response->version == pcp::version) {
            RC_ASSERT(pcp::parse_response(pcp::encode(*response)).value() == *response);
        }
    }));
}

TEST_CASE("PCP: a damaged message is parsed or refused") {
    CHECK(rc::check("flip bytes", [] {
        Bytes bytes = pcp::encode(any_response());
        const auto flips = *rc::gen::inRange(1, 8);
        for (int i = 0; i < flips; ++i) {
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^=
                *rc::gen::arbitrary<std::uint8_t>();
        }
        const auto parsed = pcp::parse_response(bytes);
        RC_ASSERT(parsed.has_value() || parsed.error().category() == pcp::parse_category());
    }));
}
