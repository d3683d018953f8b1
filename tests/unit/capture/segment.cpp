#include "capture/segment.hpp"

#include <catch2/catch.hpp>

#include "capture/ip.hpp"
#include "packets.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using capture::Carrier;
using capture::Direction;
using capture::LinkType;
using capture::Skipped;

namespace {

const Bytes hello = {'h', 'e', 'l', 'l', 'o'};

// A packet that owns its bytes, of the exact size, and what it is taken apart to.
struct Taken {
    Bytes bytes;
    capture::Segment segment;
    Skipped skipped = Skipped::no;
};

Taken take(capture::Dissector& dissector, LinkType type, Bytes bytes) {
    Taken taken;
    taken.bytes = std::move(bytes);
    capture::Packet packet;
    packet.link_type = type;
    packet.data = taken.bytes;
    taken.skipped = dissector.dissect(packet, taken.segment);
    return taken;
}

Taken take(LinkType type, Bytes bytes) {
    capture::Dissector dissector;
    return take(dissector, type, std::move(bytes));
}

void check_hello(const Taken& taken, const Endpoint& from, const Endpoint& to) {
    REQUIRE(taken.skipped == Skipped::no);
    CHECK(taken.segment.carrier == Carrier::udp);
    CHECK(taken.segment.from == from);
    CHECK(taken.segment.to == to);
    CHECK(Bytes(taken.segment.payload.begin(), taken.segment.payload.end()) == hello);
    CHECK_FALSE(taken.segment.cut);
}

}  // namespace

TEST_CASE("every link type leads to the IP packet") {
    const Bytes packet = udp_packet(client, server, hello);
    const Bytes packet6 = udp_packet(client6, server6, hello);
    check_hello(take(LinkType::ethernet, ethernet(0x0800, packet)), client, server);
    check_hello(take(LinkType::ethernet, ethernet(0x86DD, packet6)), client6, server6);
    for (const LinkType raw : {LinkType::raw, LinkType::raw_dlt, LinkType::raw_openbsd}) {
        check_hello(take(raw, packet), client, server);
    }
    check_hello(take(LinkType::ipv4, packet), client, server);
    check_hello(take(LinkType::ipv6, packet6), client6, server6);
    check_hello(take(LinkType::null, joined({{2, 0, 0, 0}, packet})), client, server);
    check_hello(take(LinkType::null, joined({{0, 0, 0, 2}, packet})), client, server);
    check_hello(take(LinkType::loop, joined({{0, 0, 0, 24}, packet6})), client6, server6);
    // VLAN, QinQ, PPPoE, and all at once.
    check_hello(take(LinkType::ethernet, ethernet(0x8100, joined({{0, 5, 8, 0}, packet}))), client,
                server);
    check_hello(take(LinkType::ethernet,
                     ethernet(0x88A8, joined({{0, 5, 0x81, 0, 0, 6, 0x86, 0xDD}, packet6}))),
                client6, server6);
    check_hello(
        take(LinkType::ethernet,
             ethernet(0x8100,
                      joined({{0, 7, 0x88, 0x64}, {0x11, 0, 0, 1, 0, 35, 0, 0x21}, packet}))),
        client, server);
}

TEST_CASE("the any device says which way a packet went") {
    const Bytes packet = udp_packet(client, server, hello);
    const auto sll = [&](std::uint8_t type) {
        return joined({{0, type, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0}, packet});
    };
    const auto sll2 = [&](std::uint8_t type) {
        return joined({{8, 0, 0, 0, 0, 0, 0, 3, 0, 1, type, 6, 1, 2, 3, 4, 5, 6, 0, 0}, packet});
    };
    for (const auto& [type, direction] : {std::pair<std::uint8_t, Direction>{0, Direction::inbound},
                                          {1, Direction::inbound},
                                          {3, Direction::unknown},
                                          {4, Direction::outbound}}) {
        const Taken old_form = take(LinkType::linux_sll, sll(type));
        check_hello(old_form, client, server);
        CHECK(old_form.segment.direction == direction);
        const Taken new_form = take(LinkType::linux_sll2, sll2(type));
        check_hello(new_form, client, server);
        CHECK(new_form.segment.direction == direction);
        CHECK(old_form.segment.to_group == (type == 1));
        CHECK(new_form.segment.to_group == (type == 1));
    }
}

TEST_CASE("what is no IP, or of a link type that is not known, is told apart") {
    CHECK(take(LinkType::ethernet, ethernet(0x0806, Bytes(28))).skipped == Skipped::not_ip);
    CHECK(take(LinkType::ethernet, Bytes(13)).skipped == Skipped::not_ip);
    CHECK(take(LinkType::ethernet, ethernet(0x0800, {})).skipped == Skipped::malformed);
    CHECK(take(static_cast<LinkType>(127), Bytes(60)).skipped == Skipped::unknown_link);
    CHECK(take(LinkType::raw, Bytes{0x10}).skipped == Skipped::malformed);
    // Tags without end.
    Bytes tags;
    for (int i = 0; i < 20; ++i) tags = joined({tags, {0, 1, 0x81, 0}});
    CHECK(take(LinkType::ethernet, ethernet(0x8100, tags)).skipped == Skipped::not_ip);
}

TEST_CASE("padding is no payload, and a cut packet is said to be cut") {
    const Bytes packet = udp_packet(client, server, hello);
    check_hello(take(LinkType::ethernet, ethernet(0x0800, joined({packet, Bytes(13, 9)}))), client,
                server);
    const Taken cut = take(LinkType::raw, Bytes(packet.begin(), packet.end() - 2));
    REQUIRE(cut.skipped == Skipped::no);
    CHECK(cut.segment.cut);
    CHECK(cut.segment.payload.size() == 3);
    // Every prefix, down to nothing.
    for (const Bytes& whole : {packet, udp_packet(client6, server6, hello),
                               tcp_packet(client, server, 1, {.syn = true}, hello)}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const auto end = whole.begin() + static_cast<std::ptrdiff_t>(size);
            const Taken part = take(LinkType::raw, Bytes(whole.begin(), end));
            CHECK((part.skipped == Skipped::malformed || part.segment.cut));
        }
    }
}

TEST_CASE("lengths that lie") {
    Bytes packet = udp_packet(client, server, hello);
    SECTION("an IP header of less than its size") { packet[0] = 0x44; }
    SECTION("an IP header of more than there is") { packet[0] = 0x4F; }
    SECTION("an IP length of less than its header") { packet[3] = 19; }
    SECTION("a UDP length of less than its header") { packet[25] = 7; }
    CHECK(take(LinkType::raw, packet).skipped == Skipped::malformed);
}

TEST_CASE("a length of zero is what segmenting cards leave") {
    Bytes packet = udp_packet(client, server, hello);
    packet[2] = packet[3] = 0;
    check_hello(take(LinkType::raw, packet), client, server);
    Bytes packet6 = udp_packet(client6, server6, hello);
    packet6[4] = packet6[5] = 0;
    check_hello(take(LinkType::raw, packet6), client6, server6);
}

TEST_CASE("IPv6 extension headers are skipped, but not without end") {
    const Bytes datagram = udp(client6.port, server6.port, hello);
    const Bytes hop_by_hop = {60, 0, 1, 4, 0, 0, 0, 0};  // then destination options
    const Bytes options = {51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};  // then AH
    const Bytes authentication = {17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const Bytes chain = joined({hop_by_hop, options, authentication, datagram});
    check_hello(take(LinkType::raw, ipv6(client6.address, server6.address, 0, chain)), client6,
                server6);

    Bytes endless;
    for (int i = 0; i < 40; ++i) endless = joined({endless, {60, 0, 0, 0, 0, 0, 0, 0}});
    CHECK(take(LinkType::raw, ipv6(client6.address, server6.address, 60, endless)).skipped ==
          Skipped::malformed);
    const Bytes lying = {17, 255, 0, 0, 0, 0, 0, 0};
    CHECK(take(LinkType::raw, ipv6(client6.address, server6.address, 0, lying)).skipped ==
          Skipped::malformed);
}

TEST_CASE("IP within IP is opened once") {
    const Bytes inner = udp_packet(client, server, hello);
    check_hello(take(LinkType::raw, ipv6(client6.address, server6.address, 4, inner)), client,
                server);
    Bytes nested = inner;
    for (int i = 0; i < 3; ++i) nested = ipv4(client.address, server.address, 4, nested);
    CHECK(take(LinkType::raw, nested).segment.carrier == Carrier::other);
}

TEST_CASE("TCP flags and payload") {
    const Taken syn = take(LinkType::raw, tcp_packet(client, server, 77, {.syn = true}));
    CHECK(syn.segment.carrier == Carrier::tcp);
    CHECK((syn.segment.tcp.syn && !syn.segment.tcp.ack));
    CHECK(syn.segment.tcp.sequence == 77);
    const Taken data = take(LinkType::raw, tcp_packet(client, server, 78, {.ack = true}, hello));
    CHECK(data.segment.payload.size() == 5);
    // Options that are longer than the segment.
    Bytes lying = tcp_packet(client, server, 1, {.syn = true});
    lying[32] = 0xF0;
    CHECK(take(LinkType::raw, lying).segment.payload.empty());
    lying[32] = 0x40;
    CHECK(take(LinkType::raw, lying).skipped == Skipped::malformed);
}

TEST_CASE("ICMP errors name the packet that caused them") {
    const IpAddress hop = *IpAddress::parse("10.0.0.1");
    const Bytes cause = udp_packet(client, server, hello);
    const Taken error = take(LinkType::raw, icmp_error(hop, client.address, 3, 13, cause));
    REQUIRE(error.segment.icmp.has_value());
    CHECK(error.segment.icmp->from == client);
    CHECK(error.segment.icmp->to == server);
    CHECK(error.segment.icmp->carrier == Carrier::udp);
    CHECK(error.segment.icmp->code == 13);
    CHECK(error.segment.icmp->payload.size() == 5);
    // RFC 792: eight bytes of the payload, no more.
    const Bytes little(cause.begin(), cause.begin() + 28);
    CHECK(take(LinkType::raw, icmp_error(hop, client.address, 11, 0, little)).segment.icmp->to ==
          server);
    const Bytes less(cause.begin(), cause.begin() + 22);
    CHECK(take(LinkType::raw, icmp_error(hop, client.address, 3, 3, less)).segment.icmp->to.port ==
          0);
    const Bytes nothing(cause.begin(), cause.begin() + 10);
    CHECK_FALSE(take(LinkType::raw, icmp_error(hop, client.address, 3, 3, nothing)).segment.icmp);
    CHECK_FALSE(take(LinkType::raw, icmp_error(hop, client.address, 8, 0, cause)).segment.icmp);

    ByteWriter message;
    message.u8(1);
    message.u8(4);
    message.zeros(6);
    message.append(udp_packet(client6, server6, hello));
    const Taken error6 =
        take(LinkType::raw, ipv6(server6.address, client6.address, 58, message.view()));
    REQUIRE(error6.segment.icmp.has_value());
    CHECK(error6.segment.icmp->to == server6);
}
