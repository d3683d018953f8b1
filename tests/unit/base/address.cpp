#include "base/address.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;

TEST_CASE("addresses are read strictly and written canonically") {
    CHECK(IpAddress::parse("192.0.2.1")->to_string() == "192.0.2.1");
    CHECK(IpAddress::parse("2001:DB8:0:0:0:0:0:1")->to_string() == "2001:db8::1");
    CHECK(IpAddress::parse("::ffff:192.0.2.1")->unmapped() == *IpAddress::parse("192.0.2.1"));
    CHECK(IpAddress::parse("192.0.2.1")->v4_bits() == 0xC0000201);
    for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4x", "[::1]", "::1%lo",
                            " 1.2.3.4", "1.2.3.4:5", "g::"}) {
        INFO(bad);
        CHECK_FALSE(IpAddress::parse(bad));
    }
    CHECK_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
}

TEST_CASE("what an address can be reached from, at the edges of each range") {
    const auto scope = [](const char* text) { return IpAddress::parse(text)->scope(); };
    CHECK(scope("0.0.0.0") == AddressScope::unspecified);
    CHECK(scope("127.255.255.255") == AddressScope::loopback);
    CHECK(scope("9.255.255.255") == AddressScope::public_use);
    CHECK(scope("10.0.0.0") == AddressScope::private_use);
    CHECK(scope("172.15.255.255") == AddressScope::public_use);
    CHECK(scope("172.16.0.0") == AddressScope::private_use);
    CHECK(scope("172.31.255.255") == AddressScope::private_use);
    CHECK(scope("172.32.0.0") == AddressScope::public_use);
    CHECK(scope("192.168.0.1") == AddressScope::private_use);
    CHECK(scope("192.0.0.255") == AddressScope::private_use);
    CHECK(scope("192.0.2.1") == AddressScope::public_use);
    CHECK(scope("100.63.255.255") == AddressScope::public_use);
    CHECK(scope("100.64.0.0") == AddressScope::carrier_grade);
    CHECK(scope("100.127.255.255") == AddressScope::carrier_grade);
    CHECK(scope("100.128.0.0") == AddressScope::public_use);
    CHECK(scope("169.254.1.1") == AddressScope::link_local);
    CHECK(scope("224.0.0.1") == AddressScope::multicast);
    CHECK(scope("255.255.255.255") == AddressScope::reserved);
    CHECK(scope("::") == AddressScope::unspecified);
    CHECK(scope("::1") == AddressScope::loopback);
    CHECK(scope("fe80::1") == AddressScope::link_local);
    CHECK(scope("febf::1") == AddressScope::link_local);
    CHECK(scope("fec0::1") == AddressScope::public_use);
    CHECK(scope("fd00::1") == AddressScope::private_use);
    CHECK(scope("ff02::1") == AddressScope::multicast);
    CHECK(scope("2001:db8::1") == AddressScope::public_use);
    CHECK(scope("::ffff:10.0.0.1") == AddressScope::private_use);
}

TEST_CASE("the IPv4 side of a 464XLAT translator") {
    for (const char* text : {"192.0.0.0", "192.0.0.7"}) {
        CHECK(IpAddress::parse(text)->is_clat_side());
    }
    for (const char* text : {"192.0.0.8", "191.255.255.255", "192.0.2.1", "c000::"}) {
        CHECK_FALSE(IpAddress::parse(text)->is_clat_side());
    }
}

TEST_CASE("endpoints are read and written with their port") {
    for (const char* text : {"192.0.2.1:1", "192.0.2.1:65535", "[2001:db8::1]:443"}) {
        CHECK(Endpoint::parse(text)->to_string() == text);
    }
    for (const char* bad :
         {"192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:0", "192.0.2.1:-1",
          "192.0.2.1:1x", "[192.0.2.1]:1", "2001:db8::1:443x", "[::1]443", ":1"}) {
        INFO(bad);
        CHECK_FALSE(Endpoint::parse(bad));
    }
}
