// Which way a packet goes.
#include <catch2/catch.hpp>

#include "capture/live/own_addresses.hpp"
#include "packets.hpp"

using namespace p2pdiag;
using namespace p2pdiag::capture;
using namespace p2pdiag::capture_plugin::testing;

TEST_CASE("the direction is told by this machine's own addresses", "[capture]") {
    OwnAddresses own;
    own.hardware = {2, 0, 0, 0, 0, 9};
    own.addresses = {IpAddress::v4(0xC0000201), *IpAddress::parse("2001:db8::1")};
    Bytes frame = ethernet({});
    CHECK(own.direction(LinkType::ethernet, frame) == Direction::inbound);
    std::copy(own.hardware.begin(), own.hardware.end(), frame.begin() + 6);
    CHECK(own.direction(LinkType::ethernet, frame) == Direction::outbound);
    CHECK(own.direction(LinkType::raw, ip_packet({})) == Direction::outbound);
    CHECK(own.direction(LinkType::raw, ip_packet({.from = IpAddress::v4(1)})) ==
          Direction::inbound);
    Made v6{.from = *IpAddress::parse("2001:db8::1"), .to = *IpAddress::parse("2001:db8::2")};
    CHECK(own.direction(LinkType::raw, ip_packet(v6)) == Direction::outbound);
}

TEST_CASE("what does not tell its direction has none", "[capture]") {
    OwnAddresses own;
    CHECK(own.direction(LinkType::ethernet, ethernet({})) == Direction::unknown);
    CHECK(own.direction(LinkType::raw, ip_packet({})) == Direction::unknown);
    own.hardware = {2, 0, 0, 0, 0, 9};
    own.addresses = {IpAddress::v4(7)};
    const Bytes frame = ethernet({});
    const Bytes packet = ip_packet({});
    for (std::size_t size = 0; size < 12; ++size) {
        CHECK(own.direction(LinkType::ethernet, ByteView(frame).first(size)) == Direction::unknown);
        CHECK(own.direction(LinkType::raw, ByteView(packet).first(size)) == Direction::unknown);
    }
    CHECK(own.direction(LinkType::linux_sll, frame) == Direction::unknown);
    own.loopback = true;
    CHECK(own.direction(LinkType::ethernet, frame) == Direction::unknown);
    CHECK(OwnAddresses::of("lo").loopback);
}
