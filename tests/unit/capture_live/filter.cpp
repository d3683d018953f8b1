// What a run talks to, and what its filter lets through, as libpcap compiles it.
#include <catch2/catch.hpp>

#include "capture/live/live_capture.hpp"
#include "packets.hpp"
#include "targets.hpp"
#include "wire/peer/chat.hpp"
#include "wire/peer/probe.hpp"
#include "wire/stun/message.hpp"

using namespace p2pdiag;
using namespace p2pdiag::capture_plugin;
using namespace p2pdiag::capture_plugin::testing;
using capture::filter_matches;
using capture::LinkType;

namespace {

const IpAddress gateway = *IpAddress::parse("192.168.7.1");
const IpAddress v6_from = *IpAddress::parse("2001:db8::1");
const IpAddress v6_to = *IpAddress::parse("2001:db8::2");

json::object input(std::string_view text) { return json::parse(text).value().as_object(); }

std::string filter_of_run(std::string_view text) {
    return filter_for(targets_of(input(text), {gateway}));
}

bool passes(const std::string& filter, const Made& made) {
    const auto matches = filter_matches(filter, LinkType::ethernet, ethernet(made));
    REQUIRE(matches);
    const auto raw = filter_matches(filter, LinkType::raw, ip_packet(made));
    REQUIRE(raw);
    CHECK(*raw == *matches);
    return *matches;
}

Made v6(Made made) {
    made.from = v6_from;
    made.to = v6_to;
    return made;
}

const std::string nothing_but_stun = filter_of_run(R"({"checks": ["stun.nat"]})");

}  // namespace

TEST_CASE("targets are found wherever an input names them", "[capture]") {
    const Targets targets = targets_of(input(R"({
        "target": {"port": 8000},
        "servers": {"stun": ["stun.example.org:19302", "192.0.2.9:3500"],
                    "turn": {"server": "turn.example.org:3479", "username": "u:1001",
                             "password": "192.0.2.66"}},
        "connection": {"timeout_ms": 30000, "signaling_port": 8080},
        "plugins": {"network": {"endpoints": ["192.0.2.53:443", "web.example.org:443"],
                                "probe": "http://portal.example.org/x", "resolver": "192.0.2.7",
                                "address": "[2001:db8::5]:443"}},
        "checks": ["stun.nat"]})"),
                                       {gateway});
    for (const int number : {8000, 19302, 3500, 3479, 8080, 53, 3478, 5349}) {
        CHECK(targets.ports.contains(static_cast<std::uint16_t>(number)));
    }
    CHECK_FALSE(targets.ports.contains(30000));
    CHECK_FALSE(targets.ports.contains(1001));
    CHECK_FALSE(targets.ports.contains(443));
    CHECK_FALSE(targets.ports.contains(1900));
    CHECK(targets.hosts == std::set<IpAddress>{*IpAddress::parse("192.0.2.7")});
    CHECK(targets.endpoints == std::set<Endpoint>{*Endpoint::parse("192.0.2.53:443"),
                                                  *Endpoint::parse("[2001:db8::5]:443")});
    CHECK(targets.handshakes == std::set<std::uint16_t>{80, 443});
}

TEST_CASE("routers are listened to when a check asks them", "[capture]") {
    const Targets targets = targets_of(input(R"({"checks": ["upnp.gateways"]})"), {gateway});
    CHECK(targets.hosts.contains(gateway));
    CHECK(targets.ports.contains(1900));
    CHECK(targets.ports.contains(5351));
    const std::string filter = filter_for(targets);
    CHECK(passes(filter, {.to = gateway, .protocol = 6, .to_port = 49152}));
    CHECK_FALSE(passes(nothing_but_stun, {.to = gateway, .protocol = 6, .to_port = 49152}));
}

TEST_CASE("an input of any shape gives a filter that compiles", "[capture]") {
    for (
        const char* text :
        {"{}", R"({"checks": 7, "servers": null, "plugins": [[["1:2"]]]})",
         R"({"plugins": {"x": {"port": -1, "y_port": 70000, "u": "http://", "v": "://:1", "w": "or 1=1:5"}}})"}) {
        CHECK(filter_matches(filter_of_run(text), LinkType::ethernet, ethernet({})) == false);
    }
    Targets many;
    for (std::uint16_t i = 1; i < 2000; ++i) {
        many.ports.insert(i);
        many.handshakes.insert(i);
        many.hosts.insert(IpAddress::v4(0x0A000000U + i));
        many.endpoints.insert({IpAddress::v4(0x0A000000U + i), i});
    }
    CHECK(filter_matches(filter_for(many), LinkType::ethernet, ethernet({})));
}

TEST_CASE("by port, of either protocol, end and family", "[capture]") {
    const std::string filter = filter_of_run(R"({"target": {"port": 8000}})");
    for (const std::uint8_t protocol : Bytes{6, 17}) {
        for (const bool ipv6 : {false, true}) {
            const auto family = [&](const Made& made) { return ipv6 ? v6(made) : made; };
            CHECK(passes(filter, family({.protocol = protocol, .to_port = 8000})));
            CHECK(passes(filter, family({.protocol = protocol, .from_port = 8000})));
            CHECK(passes(filter, family({.protocol = protocol, .to_port = 53})));
            CHECK_FALSE(passes(filter, family({.protocol = protocol})));
        }
    }
}

TEST_CASE("STUN passes at any port, and what only looks a little like it does not", "[capture]") {
    const Bytes message = stun::encode(stun::Message{});
    CHECK(passes(nothing_but_stun, {.payload = message}));
    CHECK(passes(nothing_but_stun, v6({.payload = message})));
    Bytes other = message;
    other[4] ^= 1;
    CHECK_FALSE(passes(nothing_but_stun, {.payload = other}));
    CHECK_FALSE(passes(nothing_but_stun, {.payload = Bytes(message.begin(), message.begin() + 6)}));
}

TEST_CASE("probes and the chat's handshake pass at any port, and its data does not", "[capture]") {
    const Bytes ping = probe::encode({});
    const Bytes sealed(20, 1);
    const Bytes finish = chat::encode({{}, chat::Finish{sealed}});
    const Bytes data = chat::encode({{}, chat::Data{1, sealed}});
    CHECK(passes(nothing_but_stun, {.payload = ping}));
    CHECK(passes(nothing_but_stun, v6({.payload = ping})));
    CHECK(passes(nothing_but_stun, {.payload = finish}));
    CHECK(passes(nothing_but_stun, v6({.payload = finish})));
    CHECK_FALSE(passes(nothing_but_stun, {.payload = data}));
    CHECK_FALSE(passes(nothing_but_stun, v6({.payload = data})));
    Bytes other = ping;
    other[3] ^= 1;
    CHECK_FALSE(passes(nothing_but_stun, {.payload = other}));
    CHECK_FALSE(passes(nothing_but_stun, v6({.payload = other})));
}

TEST_CASE("ICMP passes whole", "[capture]") {
    CHECK(passes(nothing_but_stun, {.protocol = 1}));
    CHECK(passes(nothing_but_stun, v6({.protocol = 58})));
}

TEST_CASE("later fragments pass, since nobody can tell whose they are", "[capture]") {
    const Bytes rest(32, 0x55);
    CHECK(passes(nothing_but_stun, {.fragment_offset = 100, .payload = rest}));
    CHECK(passes(nothing_but_stun,
                 v6({.fragment_offset = 100, .v6_fragment = true, .payload = rest})));
    CHECK_FALSE(passes(nothing_but_stun, {.payload = rest}));
    CHECK_FALSE(passes(nothing_but_stun, v6({.payload = rest})));
}

TEST_CASE("of the web's ports, connections by name begin and end, and nothing more", "[capture]") {
    const std::string by_name =
        filter_of_run(R"({"plugins": {"n": {"e": "web.example.org:443"}}})");
    const std::string by_address =
        filter_of_run(R"({"plugins": {"n": {"e": "198.51.100.2:443"}}})");
    for (const std::uint8_t flags : Bytes{0x02, 0x12, 0x11, 0x04, 0x14}) {
        CHECK(passes(by_name, {.protocol = 6, .to_port = 443, .tcp_flags = flags}));
        CHECK(passes(by_name, v6({.protocol = 6, .to_port = 443, .tcp_flags = flags})));
        CHECK_FALSE(passes(by_name, {.protocol = 6, .to_port = 444, .tcp_flags = flags}));
    }
    CHECK_FALSE(passes(by_name, {.protocol = 6, .to_port = 443}));
    CHECK_FALSE(passes(by_name, v6({.protocol = 6, .to_port = 443})));
    CHECK_FALSE(passes(by_name, {.protocol = 17, .to_port = 443}));
    CHECK(passes(by_address, {.protocol = 6, .to_port = 443}));
    CHECK_FALSE(passes(by_address, {.to = gateway, .protocol = 6, .to_port = 443}));
}

TEST_CASE("within VLAN tags the same passes", "[capture]") {
    const Bytes message = stun::encode(stun::Message{});
    const auto tagged = [](const Made& made) {
        return filter_matches(nothing_but_stun, LinkType::ethernet, ethernet(made));
    };
    CHECK(tagged({.to_port = 53, .vlan_tags = 1}) == true);
    CHECK(tagged({.vlan_tags = 1, .payload = message}) == true);
    CHECK(tagged(v6({.vlan_tags = 1, .payload = message})) == true);
    CHECK(tagged({.fragment_offset = 9, .vlan_tags = 1, .payload = message}) == true);
    CHECK(tagged({.vlan_tags = 1}) == false);
}

TEST_CASE("a filter that libpcap does not understand is no filter", "[capture]") {
    CHECK_FALSE(filter_matches("port and", LinkType::ethernet, ethernet({})));
    CHECK_FALSE(filter_matches("vlan", LinkType::raw, ip_packet({})));
    CHECK(filter_matches("", LinkType::ethernet, ethernet({})) == true);
    CHECK(filter_matches("vlan and udp", LinkType::ethernet, ethernet({.vlan_tags = 1})) == true);
}
