#include "capture/fragments.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "capture/segment.hpp"
#include "packets.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using capture::Carrier;
using capture::Fragments;
using capture::Skipped;

namespace {

constexpr std::int64_t second = 1'000'000'000;

// Bytes that differ from place to place.
Bytes content(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    return bytes;
}

Bytes part(const Bytes& bytes, std::size_t from, std::size_t to) {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(from),
            bytes.begin() + static_cast<std::ptrdiff_t>(to)};
}

struct Incomplete {
    Endpoint from;
    Bytes payload;
    bool cut = false;
    std::uint64_t packet = 0;
    std::uint32_t packets = 0;
};

// A dissector, a clock, and what was given up.
struct Bench {
    std::vector<Incomplete> given_up;
    capture::Dissector dissector{
        [this](const capture::Segment& late, const capture::Arrival& arrival) {
            given_up.push_back({late.from,
                                {late.payload.begin(), late.payload.end()},
                                late.cut,
                                arrival.packet,
                                late.packets});
        }};
    capture::Segment segment;
    capture::Packet packet;
    Bytes bytes;

    // Of the exact size, so that AddressSanitizer sees a read past the end.
    Skipped raw(Bytes ip, std::size_t captured = SIZE_MAX) {
        ip.resize(std::min(captured, ip.size()));
        bytes = Bytes(ip.begin(), ip.end());
        ++packet.number;
        packet.link_type = capture::LinkType::raw;
        packet.data = bytes;
        if (!packet.time_ns) packet.time_ns = 0;
        return dissector.dissect(packet, segment);
    }
    Skipped v4(const Bytes& datagram, std::size_t from, std::size_t to, std::uint16_t id = 5,
               std::size_t captured = SIZE_MAX, std::uint8_t protocol = 17) {
        const unsigned more = to < datagram.size() ? 0x2000 : 0;
        const auto bits = static_cast<std::uint16_t>(more | from / 8);
        return raw(ipv4(client.address, server.address, protocol, part(datagram, from, to),
                        {.id = id, .fragment = bits}),
                   captured);
    }
    // `next`: the header that the fragmentable part begins with. `before`: extension headers.
    Skipped v6(const Bytes& datagram, std::size_t from, std::size_t to, std::uint8_t next = 17,
               const Bytes& before = {}) {
        ByteWriter header;
        header.u8(next);
        header.u8(0);
        header.u16(static_cast<std::uint16_t>(from | (to < datagram.size() ? 1 : 0)));
        header.u32(99);
        const Bytes payload = joined({before, header.take(), part(datagram, from, to)});
        return raw(ipv6(client6.address, server6.address, before.empty() ? 44 : 0, payload));
    }
    Bytes payload() const { return {segment.payload.begin(), segment.payload.end()}; }
    const Fragments& fragments() const { return dissector.fragments(); }
};

void check_whole(const Bench& bench, const Bytes& payload, std::uint32_t packets) {
    CHECK_FALSE(bench.segment.fragment);
    CHECK_FALSE(bench.segment.later_fragment);
    CHECK_FALSE(bench.segment.cut);
    CHECK(bench.segment.packets == packets);
    CHECK(bench.payload() == payload);
}

}  // namespace

TEST_CASE("fragments make a datagram, in any order") {
    const Bytes payload = content(3000);
    const Bytes datagram = udp(client.port, server.port, payload);
    const std::size_t cuts[] = {0, 800, 1608, 2400, datagram.size()};
    std::vector<std::size_t> order{0, 1, 2, 3};
    do {
        Bench bench;
        for (std::size_t i = 0; i < order.size(); ++i) {
            REQUIRE(bench.v4(datagram, cuts[order[i]], cuts[order[i] + 1]) == Skipped::no);
            if (i + 1 < order.size()) CHECK(bench.segment.fragment);
        }
        check_whole(bench, payload, 4);
        CHECK(bench.segment.from == client);
        CHECK(bench.segment.to == server);
        bench.dissector.give_up_all();
        CHECK(bench.given_up.empty());
        CHECK(bench.fragments().orphans() == 0);
    } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("a part that is not all has the ports of the first one") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bench bench;
    bench.v4(datagram, 800, datagram.size());
    CHECK(bench.segment.later_fragment);
    CHECK(bench.segment.from.port == 0);
    CHECK(bench.segment.from.address == client.address);
    CHECK(bench.payload() == part(datagram, 800, datagram.size()));
    bench.v4(datagram, 0, 400);
    CHECK_FALSE(bench.segment.later_fragment);
    CHECK(bench.segment.fragment);
    CHECK(bench.segment.cut);
    CHECK(bench.segment.from == client);
    CHECK(bench.segment.packets == 1);
    CHECK(bench.payload() == part(datagram, 8, 400));
    bench.v4(datagram, 400, 600);
    CHECK(bench.segment.later_fragment);
    CHECK(bench.segment.to == server);
}

TEST_CASE("datagrams that come interleaved are told apart") {
    const Bytes one = udp(client.port, server.port, content(1000));
    const Bytes other = udp(9, 10, content(900));
    Bench bench;
    bench.v4(one, 0, 400, 1);
    bench.v4(other, 0, 400, 2);
    // The same identification with another protocol (RFC 791), and at another interface.
    bench.v4(other, 0, 400, 1, SIZE_MAX, 1);
    bench.packet.interface = 1;
    bench.v4(one, 0, 400, 1);
    bench.packet.interface = 0;
    bench.v4(other, 400, other.size(), 2);
    check_whole(bench, content(900), 2);
    bench.v4(one, 400, one.size(), 1);
    check_whole(bench, content(1000), 2);
    bench.packet.interface = 1;
    bench.v4(one, 400, one.size(), 1);
    check_whole(bench, content(1000), 2);
}

TEST_CASE("a copy of a fragment changes nothing") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bench bench;
    for (int i = 0; i < 3; ++i) bench.v4(datagram, 400, datagram.size());
    for (int i = 0; i < 2; ++i) bench.v4(datagram, 200, 400);
    bench.v4(datagram, 0, 200);
    check_whole(bench, content(1000), 3);
    CHECK(bench.fragments().refused() == 0);
}

TEST_CASE("fragments that overlap leave the datagram out") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bytes forged = datagram;
    forged[500] ^= 1;
    const auto refused_after = [&](auto second_fragment) {
        Bench bench;
        bench.v4(datagram, 400, 800);
        second_fragment(bench);
        const bool refused = bench.fragments().refused() == 1;
        // What comes of it later is left out with it.
        bench.v4(datagram, 0, 400);
        bench.v4(datagram, 800, datagram.size());
        CHECK(bench.segment.fragment == refused);
        bench.dissector.give_up_all();
        CHECK(bench.given_up.empty());
        CHECK(bench.fragments().refused() == (refused ? 1 : 0));
        CHECK(bench.fragments().orphans() == 0);
        return refused;
    };
    CHECK_FALSE(refused_after([&](Bench& bench) { bench.v4(datagram, 400, 800); }));
    CHECK(refused_after([&](Bench& bench) { bench.v4(forged, 400, 800); }));
    CHECK(refused_after([&](Bench& bench) { bench.v4(datagram, 392, 800); }));
    CHECK(refused_after([&](Bench& bench) { bench.v4(datagram, 400, 792); }));
    CHECK(refused_after([&](Bench& bench) { bench.v4(datagram, 408, 800); }));
    CHECK(refused_after([&](Bench& bench) { bench.v4(datagram, 792, 1000); }));
    CHECK(refused_after([&](Bench& bench) { bench.v4(part(datagram, 0, 800), 400, 800); }));
    // A last part before the end of another, and anything behind the last part.
    CHECK(refused_after([&](Bench& bench) { bench.v4(part(datagram, 0, 80), 40, 80); }));
    CHECK(refused_after([&](Bench& bench) {
        bench.v4(part(datagram, 0, 808), 800, 808);
        bench.v4(datagram, 808, 880);
    }));
    CHECK(refused_after([&](Bench& bench) {
        bench.v4(part(datagram, 0, 808), 800, 808);
        bench.v4(part(datagram, 0, 900), 816, 900);
    }));
}

TEST_CASE("past 65 535 bytes there is no datagram") {
    Bytes huge = udp(client.port, server.port, content(70'000));
    Bench bench;
    bench.v4(huge, 0, 8000);
    bench.v4(huge, 65'528, 65'544);
    CHECK(bench.fragments().refused() == 1);
}

TEST_CASE("a fragment that can be part of nothing") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bench bench;
    CHECK(bench.v4(datagram, 0, 401) == Skipped::malformed);
    CHECK(bench.v4(datagram, 0, 0) == Skipped::malformed);
    CHECK(bench.v4(datagram, datagram.size(), datagram.size()) == Skipped::malformed);
    bench.dissector.give_up_all();
    CHECK(bench.given_up.empty());
    CHECK(bench.fragments().orphans() == 0);
    // It has spoilt nothing either.
    bench.v4(datagram, 0, 400);
    CHECK(bench.v4(datagram, 400, 405) == Skipped::malformed);
    bench.v4(datagram, 400, datagram.size());
    check_whole(bench, content(1000), 2);
}

TEST_CASE("what never comes whole is told as far as it is there") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bench bench;
    bench.v4(datagram, 0, 200);
    bench.v4(datagram, 600, datagram.size());
    bench.v4(datagram, 200, 400);
    bench.v4(datagram, 200, 400, 77);
    bench.v4(datagram, 400, 600, 77);
    CHECK(bench.given_up.empty());
    bench.dissector.give_up_all();
    REQUIRE(bench.given_up.size() == 1);
    const Incomplete& one = bench.given_up[0];
    CHECK(one.from == client);
    CHECK(one.payload == part(datagram, 8, 400));
    CHECK(one.cut);
    CHECK(one.packet == 3);
    CHECK(one.packets == 3);
    CHECK(bench.fragments().incomplete() == 1);
    CHECK(bench.fragments().orphans() == 2);
    bench.dissector.give_up_all();
    CHECK(bench.given_up.size() == 1);
}

TEST_CASE("a fragment that the snap length cut") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bench bench;
    bench.v4(datagram, 400, datagram.size(), 5, 60);
    bench.v4(datagram, 0, 400);
    CHECK_FALSE(bench.segment.fragment);
    CHECK(bench.segment.cut);
    CHECK(bench.payload() == part(datagram, 8, 440));
    // A copy that is cut elsewhere is no contradiction.
    bench.v4(datagram, 0, 400, 6, 100);
    bench.v4(datagram, 0, 400, 6, 90);
    bench.v4(datagram, 400, datagram.size(), 6);
    CHECK(bench.segment.cut);
    CHECK(bench.payload() == part(datagram, 8, 80));
    CHECK(bench.fragments().refused() == 0);
}

TEST_CASE("fragments wait for sixty seconds of the capture") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bench bench;
    bench.packet.time_ns = 100 * second;
    bench.v4(datagram, 0, 400);
    bench.packet.time_ns = 160 * second;
    bench.v4(datagram, 400, datagram.size());
    check_whole(bench, content(1000), 2);

    bench.v4(datagram, 0, 400);
    bench.packet.time_ns = 221 * second;
    bench.v4(datagram, 400, datagram.size());
    CHECK(bench.segment.fragment);
    REQUIRE(bench.given_up.size() == 1);
    CHECK(bench.given_up[0].payload == part(datagram, 8, 400));
    // The identification is free for another one.
    bench.v4(datagram, 0, 400);
    check_whole(bench, content(1000), 2);
}

TEST_CASE("a clock that goes back gives no datagram up") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bench bench;
    bench.packet.time_ns = 5000 * second;
    bench.v4(datagram, 0, 400);
    bench.packet.time_ns = 10 * second;
    bench.v4(datagram, 400, 800);
    bench.packet.time_ns = 69 * second;
    bench.v4(datagram, 800, datagram.size());
    check_whole(bench, content(1000), 3);
    // Packets without a time have that of the one before.
    bench.v4(datagram, 0, 400);
    bench.packet.time_ns.reset();
    bench.v4(datagram, 400, datagram.size());
    check_whole(bench, content(1000), 2);
}

TEST_CASE("more datagrams at a time than are held") {
    const Bytes datagram = udp(client.port, server.port, content(1000));
    Bench bench;
    for (std::uint16_t id = 0; id < Fragments::max_datagrams; ++id) bench.v4(datagram, 0, 400, id);
    CHECK(bench.given_up.empty());
    bench.v4(datagram, 0, 400, 1000);
    REQUIRE(bench.given_up.size() == 1);
    CHECK(bench.given_up[0].packet == 1);
    CHECK(bench.fragments().evicted() == 1);
    // Of all others nothing is lost.
    for (std::uint16_t id = 1; id < Fragments::max_datagrams; ++id) {
        bench.v4(datagram, 400, datagram.size(), id);
        check_whole(bench, content(1000), 2);
    }
}

TEST_CASE("fragments of ever new datagrams, and ever more of one, with a hole after each") {
    constexpr std::uint32_t count = 100'000;
    Bench bench;
    const Bytes body = content(8);
    Bytes packet = ipv4(client.address, server.address, 17, body, {.fragment = 0x2000 | 8000});
    for (std::uint32_t i = 0; i < count; ++i) {
        // The identification and the end of the source address.
        packet[4] = static_cast<std::uint8_t>(i >> 8);
        packet[5] = static_cast<std::uint8_t>(i);
        packet[15] = static_cast<std::uint8_t>(i >> 16);
        bench.raw(packet);
    }
    CHECK(bench.fragments().orphans() == count - Fragments::max_datagrams);
    // The fewest bytes that a fragment may have, with a hole after each of them.
    constexpr std::uint32_t holes = 8190 / 2;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto bits = static_cast<std::uint16_t>(0x2000 | i % holes * 2);
        packet[4] = 0xFF;
        packet[5] = static_cast<std::uint8_t>(i / holes);
        packet[6] = static_cast<std::uint8_t>(bits >> 8);
        packet[7] = static_cast<std::uint8_t>(bits);
        packet[15] = 0;
        bench.raw(packet);
    }
    bench.dissector.give_up_all();
    CHECK(bench.fragments().incomplete() == count / holes + 1);
}

TEST_CASE("IPv6: extension headers before the fragment header and behind it") {
    const Bytes payload = content(1000);
    const Bytes datagram = udp(client6.port, server6.port, payload);
    const Bytes hop_by_hop{44, 0, 1, 4, 0, 0, 0, 0};
    Bench bench;
    bench.v6(datagram, 400, datagram.size(), 17, hop_by_hop);
    CHECK(bench.segment.fragment);
    bench.v6(datagram, 0, 400, 17, hop_by_hop);
    check_whole(bench, payload, 2);
    CHECK(bench.segment.from == client6);

    // Destination options stand in the first part alone, and belong to the datagram; here they fill
    // more than the first fragment.
    Bytes options(24, 0);
    options[0] = 17;
    options[1] = 2;
    const Bytes longer = joined({options, datagram});
    for (const bool first_last : {false, true}) {
        if (first_last) bench.v6(longer, 408, longer.size(), 60);
        bench.v6(longer, 0, 16, 60);
        CHECK(bench.segment.fragment);
        bench.v6(longer, 16, 408, 60);
        if (!first_last) bench.v6(longer, 408, longer.size(), 60);
        check_whole(bench, payload, 3);
        CHECK(bench.segment.to == server6);
    }
    CHECK(bench.fragments().orphans() == 0);

    // Fragments within fragments are none.
    const Bytes inner = joined({{17, 0, 0, 1, 0, 0, 0, 9}, datagram});
    bench.v6(inner, 0, 400, 44);
    CHECK(bench.v6(inner, 400, inner.size(), 44) == Skipped::malformed);
}

TEST_CASE("IPv6: a fragment that is all of its datagram passes through") {
    const Bytes payload = content(100);
    const Bytes datagram = udp(client6.port, server6.port, payload);
    Bench bench;
    // RFC 6946: nor has it anything to do with others of its identification.
    bench.v6(datagram, 0, 56);
    REQUIRE(bench.v6(datagram, 0, datagram.size()) == Skipped::no);
    check_whole(bench, payload, 1);
    bench.v6(datagram, 56, datagram.size());
    check_whole(bench, payload, 2);
}

TEST_CASE("TCP and ICMP in fragments; others pass as they are") {
    Bench bench;
    const Bytes segment = tcp(client.port, server.port, 7, {.ack = true}, content(1000));
    bench.v4(segment, 0, 400, 5, SIZE_MAX, 6);
    bench.v4(segment, 400, segment.size(), 5, SIZE_MAX, 6);
    check_whole(bench, content(1000), 2);
    CHECK(bench.segment.tcp.sequence == 7);

    ByteWriter error;
    error.u8(3);
    error.u8(3);
    error.zeros(6);
    error.append(udp_packet(server, client, content(900)));
    const Bytes icmp = error.take();
    bench.v4(icmp, 0, 16, 6, SIZE_MAX, 1);
    bench.v4(icmp, 16, icmp.size(), 6, SIZE_MAX, 1);
    REQUIRE(bench.segment.icmp);
    CHECK(bench.segment.icmp->to == client);

    bench.v4(segment, 0, 400, 5, SIZE_MAX, 47);
    CHECK_FALSE(bench.segment.fragment);
    CHECK(bench.segment.carrier == Carrier::other);
}
