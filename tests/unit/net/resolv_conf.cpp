#include "net/resolv_conf.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;

TEST_CASE("an ordinary resolv.conf") {
    const auto conf = net::parse_resolv_conf(
        "# made by hand\n"
        "nameserver 192.168.1.1\n"
        "nameserver\t2001:db8::1  # a comment of its own would be an error\r\n"
        "nameserver 192.168.1.1\n"
        "nameserver fe80::1%eth0\n"
        "; old\nsearch old.example\nsearch lan example.org\n"
        "options ndots:2 timeout:1 attempts:99 edns0 rotate\n");
    REQUIRE(conf.servers.size() == 3);
    CHECK(conf.asked == 2);  // of three lines
    CHECK(conf.servers[0].to_string() == "192.168.1.1");
    CHECK(conf.servers[1].to_string() == "2001:db8::1");
    CHECK(conf.servers[2].to_string() == "fe80::1%eth0");
    CHECK(conf.search == std::vector<std::string>{"lan", "example.org"});
    CHECK(conf.ndots == 2);
    CHECK(conf.timeout_s == 1);
    CHECK(conf.attempts == 5);
}

TEST_CASE("what the C library would not understand is left out, and everything is bounded") {
    CHECK(net::parse_resolv_conf("").servers.empty());
    CHECK(net::parse_resolv_conf("nameserver\nnameserver one.one.one.one\n nameserver 1.2.3\n")
              .servers.empty());
    CHECK(net::parse_resolv_conf("options timeout:x timeout:-1 ndots:\n").timeout_s == 5);
    std::string many = "search";
    for (int i = 0; i < 1000; ++i) many += " d" + std::to_string(i);
    many += '\n';
    for (int i = 0; i < 100; ++i) many += "nameserver 10.0.0." + std::to_string(i) + "\n";
    const auto conf = net::parse_resolv_conf(many);
    CHECK(conf.servers.size() == 8);
    CHECK(conf.asked == 3);
    CHECK(conf.search.size() == 32);
    CHECK(net::parse_resolv_conf("search a\x1b[31m\n").search.front() == "a?[31m");
}
