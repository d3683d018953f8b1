#include <catch2/catch.hpp>

#include "profile/layers.hpp"

using namespace p2pdiag;

namespace {

std::string normal(std::string_view text, std::string_view scheme) {
    const auto server = profile::normal_server(text, scheme);
    return server.has_value() ? *server : "! " + server.error().why;
}

}  // namespace

TEST_CASE("STUN servers as people write them") {
    CHECK(normal("stun.example.org:3478", "stun") == "stun.example.org:3478");
    CHECK(normal("stun:stun.example.org:19302", "stun") == "stun.example.org:19302");
    CHECK(normal("stun:stun.example.org", "stun") == "stun.example.org:3478");
    CHECK(normal("stuns:stun.example.org", "stun") == "stuns:stun.example.org:5349");
    CHECK(normal("stuns:1.2.3.4:443", "stun") == "stuns:1.2.3.4:443");
    CHECK(normal("stun:[2001:db8::1]", "stun") == "[2001:db8::1]:3478");
    CHECK(normal("stun:[2001:db8::1]:5", "stun") == "[2001:db8::1]:5");
}

TEST_CASE("TURN servers as people write them") {
    CHECK(normal("turn:t.example:3478?transport=tcp", "turn") == "t.example:3478?transport=tcp");
    CHECK(normal("turns:t.example", "turn") == "turns:t.example:5349");
    CHECK(normal("t.example:1", "turn") == "t.example:1");
}

TEST_CASE("servers that are none") {
    CHECK(normal("stun.example.org", "stun") ==
          "! \"stun.example.org\" has no port; write host:port");
    CHECK(normal("stun:", "stun") == "! \"\" is not a host name");
    CHECK(normal("turn:a:1", "stun") ==
          "! \"turn:a:1\" is not host:port; an IPv6 address goes in brackets: [address]:port");
    CHECK(normal("stun://a:1", "stun") == "! \"//a\" is not a host name");
    CHECK(normal("stun:2001:db8::1", "stun") ==
          "! \"2001:db8::1\" is not host:port; an IPv6 address goes in brackets: [address]:port");
    CHECK(normal("stun:\xff", "stun").starts_with("! "));
    CHECK(normal("stun:a:1?transport=udp", "stun").starts_with("! has a parameter"));
    CHECK(normal("turn:a:1?transport=sctp", "turn").starts_with("! has a parameter"));
    CHECK(normal("a:1?transport=udp", "turn") == "! \"1?transport=udp\" is not a port: 1 to 65535");
    CHECK(normal("user:pw@a:1", "stun") == "! must not hold a user or password before an @");
}
