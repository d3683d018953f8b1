// Datagrams at the interface: what is read of a packet, and what the kernel hands over.
#include "net/packet_tap.hpp"

#include <catch2/catch.hpp>

#include "fake/sandbox.hpp"
#include "net/udp_socket.hpp"
#include "run_task.hpp"
#include "wire/stun/message.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net;
using namespace p2pdiag::testing;

namespace {

// 192.0.2.1:1000 to 198.51.100.2:8000, with the payload "abc".
Bytes ipv4_packet(std::size_t options = 0) {
    ByteWriter packet;
    packet.u8(static_cast<std::uint8_t>(0x45 + options / 4));
    packet.u8(0);
    packet.u16(static_cast<std::uint16_t>(20 + options + 8 + 3));
    packet.u32(0);
    packet.u8(64);
    packet.u8(17);
    packet.u16(0);
    packet.u32(0xC0000201);
    packet.u32(0xC6336402);
    packet.zeros(options);
    packet.u16(1000);
    packet.u16(8000);
    packet.u16(8 + 3);
    packet.u16(0);
    packet.append(as_bytes("abc"));
    return packet.take();
}

// [2001:db8::1]:1000 to [2001:db8::2]:8000.
Bytes ipv6_packet() {
    ByteWriter packet;
    packet.u32(0x60000000);
    packet.u16(8 + 3);
    packet.u8(17);
    packet.u8(64);
    for (const std::uint64_t last : {1, 2}) {
        packet.u64(0x20010db800000000);
        packet.u64(last);
    }
    packet.u16(1000);
    packet.u16(8000);
    packet.u16(8 + 3);
    packet.u16(0);
    packet.append(as_bytes("abc"));
    return packet.take();
}

}  // namespace

TEST_CASE("a datagram is read out of a packet of either family") {
    for (const std::size_t options : {0, 4, 40}) {
        const Bytes packet = ipv4_packet(options);
        const auto datagram = parse_udp_packet(packet);
        REQUIRE(datagram);
        CHECK(datagram->from.to_string() == "192.0.2.1:1000");
        CHECK(datagram->to.to_string() == "198.51.100.2:8000");
        CHECK(as_text(datagram->payload) == "abc");
    }
    const Bytes packet = ipv6_packet();
    const auto datagram = parse_udp_packet(packet);
    REQUIRE(datagram);
    CHECK(datagram->from.to_string() == "[2001:db8::1]:1000");
    CHECK(datagram->to.to_string() == "[2001:db8::2]:8000");
    CHECK(as_text(datagram->payload) == "abc");
}

TEST_CASE("what an interface adds behind the packet is no payload") {
    for (Bytes packet : {ipv4_packet(), ipv6_packet()}) {
        packet.insert(packet.end(), 20, 0x55);
        CHECK(as_text(parse_udp_packet(packet)->payload) == "abc");
    }
}

TEST_CASE("packets that are cut short, lie about their length, or are something else") {
    for (const Bytes& whole : {ipv4_packet(8), ipv6_packet()}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const auto cut = parse_udp_packet(ByteView(whole).first(size));
            if (cut) CHECK(cut->payload.size() < 3);
        }
    }
    const auto changed = [](Bytes packet, std::size_t at, std::uint8_t value) {
        packet.at(at) = value;
        return parse_udp_packet(packet).has_value();
    };
    CHECK_FALSE(changed(ipv4_packet(), 0, 0x41));  // a header of four bytes
    CHECK_FALSE(changed(ipv4_packet(), 0, 0x4f));  // … of sixty
    CHECK_FALSE(changed(ipv4_packet(), 0, 0x75));  // version 7
    CHECK_FALSE(changed(ipv4_packet(), 9, 6));     // TCP
    CHECK_FALSE(changed(ipv4_packet(), 7, 1));     // a later fragment
    CHECK_FALSE(changed(ipv4_packet(), 3, 10));    // shorter than its own header
    CHECK_FALSE(changed(ipv4_packet(), 25, 7));    // UDP of seven bytes
    CHECK_FALSE(changed(ipv6_packet(), 6, 0));     // extension headers
    CHECK_FALSE(changed(ipv6_packet(), 5, 4));     // too short for UDP
}

TEST_CASE("the interface hands over datagrams to one port, whoever listens there") {
    const auto result = in_sandbox({}, []() -> std::string {
        boost::asio::io_context context;
        auto tap = PacketTap::open(context.get_executor(), 8000);
        if (!tap) return "cannot be opened: " + tap.error().message();
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            auto sender = UdpSocket::open(context.get_executor(), family);
            if (!sender) return "no socket";
            const IpAddress loopback =
                family == Family::ipv4 ? *IpAddress::parse("127.0.0.1") : *IpAddress::parse("::1");
            sender->send(as_bytes("other"), {loopback, 8001});
            sender->send(as_bytes("ours"), {loopback, 8000});
            auto wait = tap->wait(Clock::now() + std::chrono::seconds(30));
            if (!run_on(context, std::move(wait))) return "nothing came";
            std::string seen;
            tap->receive([&](const TappedDatagram& datagram) {
                seen += std::string(as_text(datagram.payload)) + " ";
                if (datagram.to != Endpoint{loopback, 8000}) seen += "to the wrong address";
                if (datagram.from.port != sender->local().port) seen += "from the wrong port";
            });
            if (seen != "ours ") return "seen: " + seen;
        }
        return "as expected";
    });
    if (result) {
        CHECK(*result == "as expected");
    } else {
        WARN("no namespaces here: not tested");
    }
}

TEST_CASE("the interface hands over STUN messages to any port, and nothing else") {
    const auto result = in_sandbox({}, []() -> std::string {
        boost::asio::io_context context;
        auto tap = PacketTap::open_stun(context.get_executor());
        if (!tap) return "cannot be opened: " + tap.error().message();
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            auto sender = UdpSocket::open(context.get_executor(), family);
            if (!sender) return "no socket";
            const IpAddress loopback =
                family == Family::ipv4 ? *IpAddress::parse("127.0.0.1") : *IpAddress::parse("::1");
            stun::Message classic;
            classic.cookie = 7;
            const Bytes other = stun::encode(classic);
            const Bytes message = stun::encode(stun::Message{});
            sender->send(as_bytes("short"), {loopback, 8001});
            sender->send(other, {loopback, 8001});
            sender->send(message, {loopback, 8002});
            auto wait = tap->wait(Clock::now() + std::chrono::seconds(30));
            if (!run_on(context, std::move(wait))) return "nothing came";
            std::size_t seen = 0;
            bool right = true;
            tap->receive([&](const TappedDatagram& datagram) {
                ++seen;
                right = right && datagram.to == Endpoint{loopback, 8002} &&
                        Bytes(datagram.payload.begin(), datagram.payload.end()) == message;
            });
            if (seen != 1 || !right) return "seen: " + std::to_string(seen);
        }
        return "as expected";
    });
    if (result) {
        CHECK(*result == "as expected");
    } else {
        WARN("no namespaces here: not tested");
    }
}
