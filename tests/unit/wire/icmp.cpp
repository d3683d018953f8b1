#include "wire/icmp/message.hpp"

#include <catch2/catch.hpp>

#include "hex.hpp"

using namespace p2pdiag;

namespace {

// 192.168.7.2:40000 to 11.22.33.10:8000 by TCP, as an error quotes it.
constexpr const char* quoted_tcp =
    "4500003c 00000000 40060000 c0a80702 0b16210a 9c40 1f40 00000001";
constexpr const char* quoted_udp6 =
    "60000000 00141140 00000000000000000000000000000001 20010db8003300000000000000000010"
    "9c40 0d96 00140000";

Bytes bytes(const std::string& text) { return testing::hex(text); }

}  // namespace

TEST_CASE("an echo request, and its checksum") {
    const Bytes payload = bytes("6162");
    const Bytes v4 = icmp::encode_echo_request(Family::ipv4, {0x1234, 7, payload});
    // ~(0x0800 + 0x1234 + 0x0007 + 0x6162)
    CHECK(v4 == bytes("0800 8462 1234 0007 6162"));
    CHECK(icmp::encode_echo_request(Family::ipv6, {0x1234, 7, payload}) ==
          bytes("8000 0000 1234 0007 6162"));
}

TEST_CASE("an echo reply is read, anything else is not") {
    const Bytes reply = bytes("0000 ffff 1234 0007 6162");
    const auto echo = icmp::parse_echo_reply(Family::ipv4, reply);
    REQUIRE(echo.has_value());
    CHECK(echo->identifier == 0x1234);
    CHECK(echo->sequence == 7);
    CHECK(echo->payload.size() == 2);
    CHECK_FALSE(icmp::parse_echo_reply(Family::ipv6, reply).has_value());
    CHECK_FALSE(icmp::parse_echo_reply(Family::ipv4, bytes("0800 ffff 1234 0007")).has_value());
    CHECK_FALSE(icmp::parse_echo_reply(Family::ipv4, bytes("0000 ffff 1234")).has_value());
    CHECK(icmp::parse_echo_reply(Family::ipv6, bytes("8100 ffff 1234 0007")).has_value());
}

TEST_CASE("requests and replies have an identifier, other messages none") {
    CHECK(icmp::echo_identifier(Family::ipv4, bytes("0800 ffff 1234 0007")) == 0x1234);
    CHECK(icmp::echo_identifier(Family::ipv4, bytes("0000 ffff 1234")) == 0x1234);
    CHECK(icmp::echo_identifier(Family::ipv6, bytes("8000 ffff 1234 0007")) == 0x1234);
    CHECK(icmp::echo_identifier(Family::ipv6, bytes("8100 ffff 1234 0007")) == 0x1234);
    CHECK_FALSE(icmp::echo_identifier(Family::ipv6, bytes("0800 ffff 1234 0007")).has_value());
    CHECK_FALSE(icmp::echo_identifier(Family::ipv4, bytes("0d00 ffff 1234 0007")).has_value());
    CHECK_FALSE(icmp::echo_identifier(Family::ipv4, bytes("0800 ffff 12")).has_value());
    CHECK_FALSE(icmp::echo_identifier(Family::ipv4, {}).has_value());
}

TEST_CASE("an error names the packet that caused it") {
    const auto error =
        icmp::parse_error(Family::ipv4, bytes(std::string("030d 0000 00000000") + quoted_tcp));
    REQUIRE(error.has_value());
    CHECK(error->protocol == 6);
    CHECK(error->destination.to_string() == "11.22.33.10:8000");
    CHECK(error->source_port == 40000);
    CHECK(icmp::meaning(Family::ipv4, error->type, error->code) == icmp::Meaning::prohibited);

    const auto v6 =
        icmp::parse_error(Family::ipv6, bytes(std::string("0200 0000 00000500") + quoted_udp6));
    REQUIRE(v6.has_value());
    CHECK(v6->destination.to_string() == "[2001:db8:33::10]:3478");
    CHECK(icmp::meaning(Family::ipv6, v6->type, v6->code) == icmp::Meaning::too_big);
}

TEST_CASE("an error that quotes too little, or the wrong family, is none") {
    const Bytes whole = bytes(std::string("0303 0000 00000000") + quoted_tcp);
    for (std::size_t size = 0; size < 32; ++size) {
        CHECK_FALSE(icmp::parse_error(Family::ipv4, ByteView(whole).first(size)).has_value());
    }
    CHECK(icmp::parse_error(Family::ipv4, whole).has_value());
    CHECK_FALSE(icmp::parse_error(Family::ipv6, whole).has_value());
    CHECK_FALSE(
        icmp::parse_error(Family::ipv4, bytes(std::string("0003 0000 00000000") + quoted_tcp))
            .has_value());
}

TEST_CASE("what stands behind an IPv4 header with options") {
    CHECK(icmp::without_ipv4_header(bytes("46" + std::string(46, '0') + "0102")).size() == 2);
    CHECK(icmp::without_ipv4_header(bytes("46" + std::string(30, '0'))).empty());
    CHECK(icmp::without_ipv4_header(bytes("41" + std::string(60, '0'))).empty());
    CHECK(icmp::without_ipv4_header(bytes("60" + std::string(78, '0'))).empty());
}
