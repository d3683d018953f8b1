// TLS hellos, HTTP heads and TURN attributes: what connections say first.
#include <catch2/catch.hpp>

#include "hex.hpp"
#include "wire/http/head.hpp"
#include "wire/tls/handshake.hpp"
#include "wire/turn/message.hpp"

using namespace p2pdiag;
using p2pdiag::testing::hex;

namespace {

const std::string random32 = std::string(64, '0');
// server_name "ab.c", ALPN "h2", supported_versions: GREASE, 1.3, 1.2.
const std::string extensions =
    "00 26"
    "00 00 00 09 00 07 00 00 04 61 62 2e 63"
    "00 10 00 05 00 03 02 68 32"
    "00 2b 00 07 06 5a 5a 03 04 03 03"
    "12 34 00 01 ff";

}  // namespace

TEST_CASE("a ClientHello says whom it wants, and how") {
    const Bytes body = hex("03 03" + random32 + "00 00 02 13 01 01 00" + extensions);
    const auto hello = tls::parse_client_hello(body);
    REQUIRE(hello.has_value());
    CHECK(hello->server_name == "ab.c");
    CHECK(hello->version == 0x0304);
    CHECK(hello->protocols == std::vector<std::string>{"h2"});
    for (std::size_t size = 0; size < body.size(); ++size) {
        const Bytes part(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
        INFO(size);
        // Without any extensions it is whole again.
        CHECK(tls::parse_client_hello(part).has_value() == (size == 41));
    }
    CHECK(tls::version_name(0x0303) == "TLS 1.2");
    CHECK(tls::version_name(0x7F12) == "version 0x7f12");
}

TEST_CASE("a ServerHello, a retry and an alert") {
    const auto hello =
        tls::parse_server_hello(hex("03 03" + random32 + "00 13 01 00 00 06 00 2b 00 02 03 04"));
    REQUIRE(hello.has_value());
    CHECK(hello->version == 0x0304);
    CHECK_FALSE(hello->retry);
    const auto retry = tls::parse_server_hello(
        hex("03 03 cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c 00 13 01 00"));
    CHECK(retry->retry);
    CHECK(retry->version == 0x0303);
    CHECK(tls::parse_alert(Bytes{2, 40})->text() == "handshake_failure");
    CHECK_FALSE(tls::parse_alert(Bytes{3, 40}).has_value());
    CHECK_FALSE(tls::parse_alert(Bytes(40, 1)).has_value());
    CHECK(tls::parse_record_header(hex("16 03 01 02 00"))->length == 512);
    CHECK_FALSE(tls::parse_record_header(hex("16 03 01 ff ff")).has_value());
    CHECK_FALSE(tls::parse_record_header(hex("47 45 54 20 2f")).has_value());
}

TEST_CASE("heads of HTTP") {
    const auto request = http::parse_head(
        as_bytes("GET /a?b HTTP/1.1\r\nupgrade:  WebSocket \r\nContent-Length: 12\r\n\r\nrest"));
    REQUIRE(request.has_value());
    CHECK((request->method == "GET" && request->target == "/a?b"));
    CHECK(request->is_websocket_upgrade());
    CHECK(request->content_length() == 12);
    CHECK(request->size == 63);
    const auto response = http::parse_head(as_bytes("HTTP/1.0 404 Not Found\n\n"));
    CHECK((response->response && response->status == 404 && response->reason == "Not Found"));
    CHECK_FALSE(response->is_websocket_upgrade());
    CHECK(http::parse_head(as_bytes("HTTP/1.1 200")).error() == http::ParseError::incomplete);
    CHECK(http::parse_head(as_bytes("HTTP/1.1 20 x\r\n\r\n")).error() ==
          http::ParseError::not_http);
    CHECK(http::parse_head(as_bytes("GET /\r\n\r\n")).error() == http::ParseError::not_http);
    CHECK(http::parse_head(Bytes(20'000, 'x')).error() == http::ParseError::too_large);
    const auto odd = http::parse_head(as_bytes("GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n"));
    CHECK_FALSE(odd->content_length().has_value());
    CHECK(http::looks_like_http(as_bytes("M-POST /")));
    CHECK(http::looks_like_http(as_bytes("HTTP")));
    CHECK_FALSE(http::looks_like_http(as_bytes("GETX")));
    CHECK_FALSE(http::looks_like_http(as_bytes("GE")));
}

TEST_CASE("what TURN adds to a STUN message") {
    stun::Message message;
    message.method = turn::allocate;
    // 192.0.2.1:32853 of RFC 5769, XOR'ed.
    const Bytes address = hex("00 01 a1 47 e1 12 a6 43");
    message.others = {{0x0016, address},
                      {0x0012, address},
                      {0x000C, hex("40 01 00 00")},
                      {0x000D, hex("00 00 02 58")},
                      {0x0013, Bytes(9)}};
    const turn::Attributes found = turn::attributes_of(message);
    CHECK(found.relayed == Endpoint::parse("192.0.2.1:32853"));
    CHECK(found.peer == found.relayed);
    CHECK(found.channel == 0x4001);
    CHECK(found.lifetime == 600);
    CHECK(found.data_size == 9);
    message.others = {{0x0016, Bytes(3)}, {0x000C, Bytes(1)}};
    CHECK_FALSE(turn::attributes_of(message).relayed.has_value());
    CHECK(turn::method_name(turn::allocate) == "Allocate");
    CHECK(turn::is_turn(turn::refresh));
    CHECK_FALSE(turn::is_turn(stun::Method::binding));
    CHECK_FALSE(turn::is_turn(stun::Method{0x7ff}));
}
