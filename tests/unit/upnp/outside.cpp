// The router's outside address beside the one that servers see: research cases B1, B2, C1.
#include "outside.hpp"

#include <catch2/catch.hpp>

#include "made_up.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using made_up::ip;

TEST_CASE("what an outside address means") {
    const SeenByStun stun = made_up::seen(ip("203.0.113.7"));
    CHECK(judge_outside(ip("203.0.113.7"), stun) == Outside::same_as_stun);
    CHECK(judge_outside(ip("203.0.113.8"), stun) == Outside::differs);
    CHECK(judge_outside(ip("203.0.113.7"), {}) == Outside::not_compared);
    CHECK(judge_outside(std::nullopt, stun) == Outside::not_told);
    for (const char* text : {"10.0.0.2", "172.31.255.1", "192.168.0.5"}) {
        CHECK(judge_outside(ip(text), stun) == Outside::private_use);
    }
    for (const char* text : {"100.64.0.1", "100.127.255.255"}) {
        CHECK(judge_outside(ip(text), stun) == Outside::carrier_grade);
    }
    for (const char* text : {"0.0.0.0", "127.0.0.1", "169.254.1.1", "255.255.255.255"}) {
        CHECK(judge_outside(ip(text), stun) == Outside::unusable);
    }
    // A server inside of the provider's network sees it, which makes it no more public.
    CHECK(judge_outside(ip("100.64.3.4"), made_up::seen(ip("100.64.3.4"))) ==
          Outside::carrier_grade);
}

TEST_CASE("what stun.nat says is taken from a check's needs") {
    const auto parse = [](const char* text) {
        return SeenByStun::from_input(json::parse(text)->get_object());
    };
    const SeenByStun seen = parse(
        R"({"needs":{"stun.nat":{"status":"pass","data":{"ipv4":{"public":"203.0.113.7:4000",
            "public_addresses":["203.0.113.7","203.0.113.8","nonsense",3],"behind_nat":true,
            "carrier_hop":"100.64.7.1"}}}}})");
    CHECK(seen.addresses == std::vector{ip("203.0.113.7"), ip("203.0.113.8")});
    CHECK(seen.behind_nat == true);
    CHECK(seen.carrier_hop == ip("100.64.7.1"));
    // A provider may give a connection any of several addresses.
    CHECK(judge_outside(ip("203.0.113.8"), seen) == Outside::same_as_stun);
    for (const char* text : {"{}", R"({"needs":{}})", R"({"needs":{"stun.nat":{"data":null}}})",
                             R"({"needs":{"stun.nat":{"data":{"ipv4":null}}}})",
                             R"({"needs":{"stun.nat":{"data":{"ipv4":{"public":null}}}}})"}) {
        const SeenByStun none = parse(text);
        CHECK(none.addresses.empty());
        CHECK_FALSE(none.behind_nat);
    }
}

TEST_CASE("the ways out behind a provider's NAT promise nothing of a forward") {
    for (const Outside outside : {Outside::carrier_grade, Outside::private_use}) {
        std::string all;
        for (const std::string& way : ways_out(outside)) all += way + "\n";
        CHECK(all.find("public IPv4 address") != std::string::npos);
        CHECK(all.find("IPv6") != std::string::npos);
        CHECK(all.find("relay") != std::string::npos);
        CHECK(all.find("p2pdiag forward") == std::string::npos);
    }
}
