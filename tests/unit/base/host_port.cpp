#include "base/host_port.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;

TEST_CASE("host and port as people write them") {
    const auto check = [](std::string_view text, std::string_view host, int port) {
        INFO(text);
        const auto parsed = parse_host_port(text);
        REQUIRE(parsed.has_value());
        CHECK(parsed->host == host);
        CHECK(parsed->port.value_or(0) == port);
        CHECK(parse_host_port(parsed->to_string()).value() == *parsed);
    };
    check("stun.example.org:3478", "stun.example.org", 3478);
    check("stun.example.org", "stun.example.org", 0);
    check("192.0.2.1:1", "192.0.2.1", 1);
    check("[2001:db8::1]:65535", "2001:db8::1", 65535);
    check("[2001:db8::1]", "2001:db8::1", 0);
    check("2001:db8::1", "2001:db8::1", 0);
    for (const char* bad : {"", ":", ":1", "a:", "a:0", "a:65536", "a:1x", "a:-1", "a b:1", "a:1:2",
                            "[192.0.2.1]:1", "[::1", "[::1]1", "[::1]:", "[]:1", "a\n:1",
                            "ex\xc3\xa4mple:1", "user@host:1", "a/b:1"}) {
        INFO(bad);
        CHECK_FALSE(parse_host_port(bad).has_value());
    }
    CHECK_FALSE(parse_host_port(std::string_view("a\0b:1", 5)).has_value());
}

TEST_CASE("what is wrong is said, and which part of the text") {
    using Kind = HostPortProblem::Kind;
    const auto check = [](std::string_view text, Kind kind, std::string_view part) {
        INFO(text);
        const auto parsed = parse_host_port(text);
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error().kind == kind);
        CHECK(parsed.error().part == part);
    };
    check("", Kind::no_host_name, "");
    check("-a:1", Kind::no_host_name, "-a");
    check("a..b", Kind::no_host_name, "a..b");
    check("1.2.3.400:80", Kind::no_ipv4_address, "1.2.3.400");
    check("[::g]:80", Kind::no_ipv6_address, "[::g]");
    check("[::1:80", Kind::no_closing_bracket, "[::1:80");
    check("[::1]80", Kind::no_colon, "[::1]80");
    check("stun:a:1", Kind::many_colons, "stun:a:1");
    check("a:", Kind::no_port, "");
    check("[::1]:70000", Kind::no_port, "70000");
    check("a:000001", Kind::no_port, "000001");
}

TEST_CASE("names of hosts, as long as they may be and no longer") {
    for (const std::string& good :
         {std::string("a"), std::string("a_b.example."), std::string("xn--bcher-kva.example"),
          std::string("3com.net"), std::string(63, 'a')}) {
        INFO(good);
        CHECK(is_host_name(good));
    }
    std::string longest;
    while (longest.size() < 253) longest += longest.size() % 64 == 63 ? '.' : 'a';
    CHECK(is_host_name(longest));
    CHECK(is_host_name(longest + '.'));
    for (const std::string& bad :
         {std::string(), std::string("."), std::string(64, 'a'), longest + "a", std::string("a-"),
          std::string("a b"), std::string("::1"), std::string("10.1"), std::string("a\0b", 3)}) {
        INFO(bad);
        CHECK_FALSE(is_host_name(bad));
    }
}
