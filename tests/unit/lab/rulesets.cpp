#include "rulesets.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag::lab;

namespace {

NatPlace home(bool hairpin = false) {
    return {.inside_net = "192.168.7.0/24",
            .outside_address = "11.22.33.7",
            .lifetime_s = 17,
            .hairpin = hairpin};
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("no mark of a template is left, and every brace is closed") {
    for (const auto& [kind, name] : nat_names) {
        for (const bool hairpin : {false, true}) {
            const std::string text = nat_ruleset(kind, home(hairpin));
            CAPTURE(name, hairpin);
            CHECK_FALSE(has(text, "@WAN"));
            CHECK_FALSE(has(text, "@INSIDE"));
            CHECK_FALSE(has(text, "@LIFETIME"));
            CHECK_FALSE(has(text, "@PORT"));
            CHECK(std::count(text.begin(), text.end(), '{') ==
                  std::count(text.begin(), text.end(), '}'));
        }
    }
}

TEST_CASE("a map is declared exactly where it is used") {
    for (const auto& [kind, name] : nat_names) {
        for (const bool hairpin : {false, true}) {
            const std::string text = nat_ruleset(kind, home(hairpin));
            CAPTURE(name, hairpin);
            for (const std::string map : {"holder", "contacted", "pinned"}) {
                const bool declared = has(text, "map " + map) || has(text, "set " + map);
                CHECK(declared == has(text, "update @" + map));
                CHECK(declared == (has(text, "map @" + map) || has(text, "saddr @" + map)));
                if (declared) CHECK(has(text, "timeout 17s"));
            }
        }
    }
}

TEST_CASE("the kinds differ where they should") {
    CHECK(has(nat_ruleset(Nat::full_cone, home()), "dnat ip to udp dport map @holder"));
    CHECK(has(nat_ruleset(Nat::restricted_cone, home()), "udp dport . ip saddr @contacted"));
    CHECK_FALSE(has(nat_ruleset(Nat::port_restricted_cone, home()), "dnat"));
    CHECK(has(nat_ruleset(Nat::symmetric, home()), "masquerade fully-random"));
    CHECK(has(nat_ruleset(Nat::address_dependent, home()), "ip daddr . udp sport map @pinned"));
    const std::string sequential = nat_ruleset(Nat::symmetric_sequential, home());
    CHECK(has(sequential, "elements = { 0:20000,1:20001,"));
    CHECK(has(sequential, ",4095:24095 }"));
    CHECK(has(sequential, "udp snat ip to 11.22.33.7:numgen inc mod 4096 map @sequential"));
    CHECK(has(sequential, "tcp snat ip to 11.22.33.7:numgen inc mod 4096 map @sequential"));
}

TEST_CASE("hairpin only where asked for") {
    CHECK_FALSE(has(nat_ruleset(Nat::full_cone, home()), "lan0"));
    CHECK(has(nat_ruleset(Nat::full_cone, home(true)), "iifname \"lan0\" ip daddr 11.22.33.7"));
}

TEST_CASE("blocks") {
    const std::string none = router_filter_ruleset({.outside_address = "11.22.33.7", .block = {}});
    CHECK_FALSE(has(none, "53"));
    CHECK_FALSE(has(none, "1023"));
    CHECK_FALSE(has(none, "nfproto"));
    const std::string udp =
        router_filter_ruleset({.outside_address = "11.22.33.7", .block = {.udp = true}});
    CHECK(has(udp, "iifname \"lan0\" udp dport != 53 drop"));
    CHECK(has(udp, "oifname \"lan0\" udp sport != 53 drop"));
    const std::string one =
        router_filter_ruleset({.outside_address = "11.22.33.7", .block = {.udp_3478 = true}});
    CHECK(has(one, "iifname \"lan0\" udp dport 3478 drop"));
    CHECK(has(one, "oifname \"lan0\" udp sport 3478 drop"));
    CHECK_FALSE(has(one, "!= 53"));
    const std::string tcp = line_ruleset({.port = "p-client", .block = {.tcp_high = true}});
    CHECK(has(tcp, "iifname \"p-client\" tcp dport > 1023"));
    CHECK_FALSE(has(tcp, "numgen"));
}

TEST_CASE("loss in hundredths of a percent, both ways, sparing neighbour discovery") {
    const std::string text = line_ruleset({.port = "p-router", .block = {}, .loss_percent = 2.5});
    CHECK(has(text, "iifname \"p-router\" ether type ip numgen random mod 10000 < 250 drop"));
    CHECK(has(text, "oifname \"p-router\" ether type ip numgen random mod 10000 < 250 drop"));
    CHECK(has(text, "ether type ip6 meta l4proto != icmpv6 numgen"));
}

TEST_CASE("of two protocols on one port the unwanted is dropped") {
    CHECK_FALSE(has(igd_ruleset({.upnp = true}), "5351"));
    CHECK(has(igd_ruleset({.natpmp = true}), "@th,64,8 2 drop"));
    CHECK(has(igd_ruleset({.pcp = true}), "@th,64,8 0 drop"));
    CHECK_FALSE(has(igd_ruleset({.natpmp = true, .pcp = true}), "5351"));
}
