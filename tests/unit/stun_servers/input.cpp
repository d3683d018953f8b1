// What may stand in the list of STUN servers.
#include <catch2/catch.hpp>

#include "servers.hpp"

using namespace p2pdiag;
using namespace p2pdiag::stun_plugin;

TEST_CASE("the ways to name a server") {
    const auto check = [](std::string_view text, std::string_view host, int port, int tls_port) {
        INFO(text);
        const ServerName name = parse_server(text);
        CHECK(name.host == host);
        CHECK(name.port.value_or(0) == port);
        CHECK(name.tls_port.value_or(0) == tls_port);
        CHECK(name.text == text);
    };
    check("stun.example.org:3478", "stun.example.org", 3478, 5349);
    check("stun.example.org:19302", "stun.example.org", 19302, 0);
    check("stun.example.org", "stun.example.org", 3478, 5349);
    check("stun:stun.example.org:3479", "stun.example.org", 3479, 0);
    check("stun:stun.example.org", "stun.example.org", 3478, 5349);
    check("stuns:stun.example.org", "stun.example.org", 0, 5349);
    check("stuns:stun.example.org:443", "stun.example.org", 0, 443);
    check("[2001:db8::1]:3478", "2001:db8::1", 3478, 5349);
    check("stuns:[2001:db8::1]:443", "2001:db8::1", 0, 443);
    check("192.0.2.1:1", "192.0.2.1", 1, 0);
    check("stun", "stun", 3478, 5349);  // a host may have that name
}

TEST_CASE("what names no server is kept, so that it can be shown, but not asked") {
    for (const char* bad :
         {"", "stun:", "stuns:", "a:0", "a:70000", "turn:a:1", "a b", "stun:a:x"}) {
        INFO(bad);
        CHECK(parse_server(bad).host.empty());
    }
    CHECK(parse_server("a\x1b[2J").text == "a?[2J");
}

TEST_CASE("the servers of a check's input, whatever that is") {
    const json::array found =
        configured_servers(read_input(R"({"servers":{"stun":["a:1","b:1",3]}})"));
    CHECK(found.size() == 3);
    CHECK(parse_servers(found).size() == 2);
    for (const char* input : {"", "[]", "{}", R"({"servers":[]})", R"({"servers":{"stun":"a"}})"}) {
        INFO(input);
        CHECK(configured_servers(read_input(input)).empty());
    }
}

TEST_CASE("repetitions, other types and too many servers") {
    json::array configured = {json::value("a:1"), json::value("a:1"), json::value(3),
                              json::value(nullptr), json::value("b:1")};
    CHECK(parse_servers(configured).size() == 2);
    for (int i = 0; i < 100; ++i) configured.push_back(json::value("c:" + std::to_string(i + 1)));
    CHECK(parse_servers(configured).size() == max_servers);
}
