#include "capture/pcapng_writer.hpp"

#include <catch2/catch.hpp>

#include "files.hpp"

using namespace p2pdiag;
using capture::Direction;
using capture::LinkType;
using p2pdiag::testing::read_all;

TEST_CASE("what was written is read again") {
    Bytes file;
    capture::append_section(file, {"p2pdiag", "Linux", {"a run"}});
    const capture::Interface any{LinkType::linux_sll2, 256, "any", "all of them", "udp", "Linux"};
    const capture::Interface other{LinkType::raw, 0, "tun0", "", "", ""};
    capture::append_interface(file, any);
    capture::append_interface(file, other);

    const Bytes data = {1, 2, 3, 4, 5, 6, 7};
    const std::string_view comments[] = {"stun.nat: test 1", "transaction 0102\nnext line"};
    capture::Packet packet;
    packet.interface = 1;
    packet.time_ns = 1'700'000'000'000'000'001;
    packet.direction = Direction::outbound;
    packet.original_size = 1400;
    packet.data = data;
    packet.comments = comments;
    capture::append_packet(file, packet);
    packet.comments = {};
    packet.direction = Direction::unknown;
    packet.time_ns.reset();
    packet.original_size = 0;
    capture::append_packet(file, packet);
    capture::append_statistics(file, {1, 5, 10, std::nullopt, 3});

    const auto read = read_all(file);
    CHECK(read.totals.end == capture::End::complete);
    CHECK(remarks(read.totals).size() == 1);
    CHECK(read.totals.lost == 3);
    CHECK(read.totals.ended_ns == 5);
    REQUIRE(read.interfaces.size() == 2);
    CHECK(read.interfaces[0] == any);
    CHECK(read.interfaces[1] == other);
    REQUIRE(read.packets.size() == 2);
    CHECK(read.packets[0].data == data);
    CHECK(read.packets[0].time_ns == 1'700'000'000'000'000'001);
    CHECK(read.packets[0].direction == Direction::outbound);
    CHECK(read.packets[0].original_size == 1400);
    CHECK(read.packets[0].comments ==
          std::vector<std::string>{"stun.nat: test 1", "transaction 0102\nnext line"});
    CHECK(read.packets[1].comments.empty());
    CHECK(read.packets[1].original_size == 7);
    CHECK(read.packets[1].direction == Direction::unknown);
}

TEST_CASE("texts that the format cannot hold are made to fit") {
    Bytes file;
    capture::append_section(file, {});
    capture::append_interface(file, {});
    // 65 535 bytes end in the middle of a character here.
    std::string much(65534, 'x');
    much += "\xC3\xA4";
    const std::string_view comments[] = {std::string_view("a\0b", 3), "\xFF", much, ""};
    capture::Packet packet;
    packet.comments = comments;
    capture::append_packet(file, packet);
    const auto read = read_all(file);
    CHECK(read.packets.at(0).comments ==
          std::vector<std::string>{"a", "\xEF\xBF\xBD", std::string(65534, 'x')});
}
