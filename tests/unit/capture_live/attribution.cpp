// Whose packet it is, by what the checks said.
#include "attribution.hpp"

#include <catch2/catch.hpp>

#include "packets.hpp"

using namespace p2pdiag;
using namespace p2pdiag::capture_plugin;
using namespace p2pdiag::capture_plugin::testing;

namespace {

constexpr std::int64_t second = 1'000'000'000;
// 192.0.2.1:40000 is this end of all packets here, 198.51.100.2:9 the other one.
const IpAddress here = IpAddress::v4(0xC0000201);
const IpAddress there = IpAddress::v4(0xC6336402);

void note(Attribution& attribution, const std::string& text) {
    attribution.note(json::parse(text).value().as_object());
}

std::string comment(const Attribution& attribution, const Made& made,
                    std::int64_t time_ns = second) {
    const Bytes frame = ethernet(made);
    capture::Packet packet;
    packet.data = frame;
    packet.original_size = static_cast<std::uint32_t>(frame.size());
    capture::Dissector dissector;
    capture::Segment segment;
    REQUIRE(dissector.dissect(packet, segment) == capture::Skipped::no);
    return attribution.comment(segment, time_ns);
}

Bytes message(stun::Class message_class, std::uint8_t fill) {
    stun::Message made;
    made.message_class = message_class;
    made.transaction.fill(fill);
    return stun::encode(made);
}

Attribution with_transaction() {
    Attribution attribution;
    note(attribution,
         R"({"type": "flow", "check": "stun.nat", "protocol": "udp", "local": "0.0.0.0:40000",
        "transactions": [{"id": "0a0a0a0a0a0a0a0a0a0a0a0a", "text": "filter test, send 1"}]})");
    return attribution;
}

}  // namespace

TEST_CASE("a transaction names request and answer, on whatever socket", "[capture]") {
    const Attribution attribution = with_transaction();
    CHECK(comment(attribution, {.payload = message(stun::Class::request, 10)}) ==
          "stun.nat: filter test, send 1");
    const Made answer{.from = there,
                      .to = here,
                      .from_port = 1,
                      .to_port = 2,
                      .payload = message(stun::Class::success, 10)};
    CHECK(comment(attribution, answer) == "stun.nat: answer to filter test, send 1");
    Made refusal = answer;
    refusal.payload = message(stun::Class::error, 10);
    CHECK(comment(attribution, refusal) == "stun.nat: answer to filter test, send 1");
    Made stranger = answer;
    stranger.payload = message(stun::Class::success, 11);
    CHECK(comment(attribution, stranger).empty());
}

TEST_CASE("a socket names its packets of both directions", "[capture]") {
    const Attribution attribution = with_transaction();
    CHECK(comment(attribution, {}) == "stun.nat");
    CHECK(comment(attribution, {.from = there, .to = here, .from_port = 9, .to_port = 40000}) ==
          "stun.nat");
    CHECK(comment(attribution, {.from_port = 40001}).empty());
    CHECK(comment(attribution, {.protocol = 6}).empty());
    const IpAddress v6 = *IpAddress::parse("2001:db8::1");
    CHECK(comment(attribution, {.from = v6, .to = v6}).empty());
}

TEST_CASE("a connection is named by its other end", "[capture]") {
    Attribution attribution;
    note(attribution, R"({"type": "flow", "check": "upnp.gateways", "protocol": "tcp",
                          "remote": "198.51.100.2:5000", "text": "SOAP"})");
    CHECK(comment(attribution, {.protocol = 6, .to_port = 5000}) == "upnp.gateways: SOAP");
    CHECK(
        comment(attribution,
                {.from = there, .to = here, .protocol = 6, .from_port = 5000, .to_port = 40000}) ==
        "upnp.gateways: SOAP");
    CHECK(comment(attribution, {.to = here, .protocol = 6, .to_port = 5000}).empty());
}

TEST_CASE("an ICMP error is about the packet that it quotes", "[capture]") {
    const Attribution attribution = with_transaction();
    for (const bool whole : {true, false}) {
        Bytes inner = ip_packet({.payload = message(stun::Class::request, 10)});
        if (!whole) inner.resize(28);
        ByteWriter error;
        error.u16(0x030d);  // communication administratively prohibited
        error.u16(0);
        error.u32(0);
        error.append(inner);
        const Made icmp{.from = there, .to = here, .protocol = 1, .payload = error.take()};
        CHECK(comment(attribution, icmp) ==
              (whole ? "stun.nat: filter test, send 1 (an error about it)"
                     : "stun.nat (an error about it)"));
    }
}

TEST_CASE("an echo, its reply and an error about it are named by their identifier", "[capture]") {
    Attribution attribution;
    note(attribution, R"({"type": "flow", "check": "network.path", "protocol": "icmp",
                          "local": "0.0.0.0:4660"})");
    // That would be all that has no identifier.
    note(attribution, R"({"type": "flow", "check": "network.path", "protocol": "icmp",
                          "local": "0.0.0.0:0"})");
    const auto echo = [](std::uint8_t type, std::uint16_t identifier) {
        ByteWriter writer;
        writer.u8(type);
        writer.u8(0);
        writer.u16(0);
        writer.u16(identifier);
        writer.u16(1);
        return writer.take();
    };
    const Made request{.protocol = 1, .payload = echo(8, 0x1234)};
    CHECK(comment(attribution, request) == "network.path");
    CHECK(comment(attribution,
                  {.from = there, .to = here, .protocol = 1, .payload = echo(0, 0x1234)}) ==
          "network.path");
    CHECK(comment(attribution, {.protocol = 1, .payload = echo(8, 0x1235)}).empty());
    // Neither a timestamp request nor one that is cut, nor the UDP port of the same number.
    CHECK(comment(attribution, {.protocol = 1, .payload = echo(13, 0x1234)}).empty());
    CHECK(comment(attribution, {.protocol = 1, .payload = Bytes{8, 0, 0, 0, 0x12}}).empty());
    CHECK(comment(attribution, {.from_port = 0x1234}).empty());

    ByteWriter error;
    error.u16(0x0b00);  // time exceeded
    error.u16(0);
    error.u32(0);
    error.append(ip_packet(request));
    CHECK(comment(attribution,
                  {.from = there, .to = here, .protocol = 1, .payload = error.take()}) ==
          "network.path (an error about it)");
}

TEST_CASE("a port that a check used is not its own for ever", "[capture]") {
    Attribution attribution = with_transaction();
    note(attribution, R"({"type": "started", "check": "stun.nat", "time_ns": 10000000000})");
    note(attribution, R"({"type": "finished", "check": "stun.nat", "time_ns": 20000000000})");
    CHECK(comment(attribution, {}, 5 * second).empty());
    CHECK(comment(attribution, {}, 15 * second) == "stun.nat");
    CHECK(comment(attribution, {}, 21 * second) == "stun.nat");
    CHECK(comment(attribution, {}, 30 * second).empty());
}

TEST_CASE("a port that two checks claim at a time is nobody's", "[capture]") {
    Attribution attribution = with_transaction();
    note(
        attribution,
        R"({"type": "flow", "check": "stun.servers", "protocol": "udp", "local": "0.0.0.0:40000"})");
    CHECK(comment(attribution, {}).empty());
    CHECK(comment(attribution, {.payload = message(stun::Class::request, 10)}) ==
          "stun.nat: filter test, send 1");
}

TEST_CASE("notes that make no sense are passed over", "[capture]") {
    Attribution attribution;
    for (
        const char* text :
        {"{}", R"({"type": "flow"})", R"({"type": "flow", "check": "x"})",
         R"({"type": "flow", "check": "x", "protocol": "sctp", "local": "0.0.0.0:40000"})",
         R"({"type": "flow", "check": "x", "protocol": "udp", "local": "0.0.0.0:0"})",
         R"({"type": "flow", "check": "x", "protocol": "udp", "local": 7, "transactions": [1, {"id": "zz"}, {}]})",
         R"({"type": "started", "check": 1})", R"({"type": "other", "check": "x"})"}) {
        note(attribution, text);
    }
    CHECK(comment(attribution, {}).empty());
}
