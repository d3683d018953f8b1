#include <catch2/catch.hpp>

#include "files.hpp"

using namespace p2pdiag;
using capture::End;
using p2pdiag::testing::FileBytes;
using p2pdiag::testing::open_error;
using p2pdiag::testing::Order;
using p2pdiag::testing::read_all;

namespace {

constexpr std::uint32_t microseconds = 0xA1B2C3D4;
constexpr std::uint32_t nanoseconds = 0xA1B23C4D;
const Bytes hello = {'h', 'e', 'l', 'l', 'o'};

}  // namespace

TEST_CASE("pcap in both byte orders and both units of time") {
    for (const Order order : {Order::little, Order::big}) {
        for (const std::uint32_t magic : {microseconds, nanoseconds}) {
            FileBytes file(order);
            file.pcap_header(magic, 276).pcap_packet(5, 7, hello, 900).pcap_packet(6, 0, {});
            const auto read = read_all(file.bytes());
            REQUIRE(read.packets.size() == 2);
            CHECK(read.packets[0].time_ns == 5'000'000'000 + (magic == microseconds ? 7000 : 7));
            CHECK(read.packets[0].data == hello);
            CHECK(read.packets[0].original_size == 900);
            CHECK(read.packets[0].link_type == capture::LinkType::linux_sll2);
            CHECK(read.packets[1].data.empty());
            CHECK(read.totals.end == End::complete);
            CHECK(read.totals.captured_bytes == 5);
            CHECK(remarks(read.totals).empty());
        }
    }
}

TEST_CASE("the bits for a frame check sequence are not part of the link type") {
    FileBytes file(Order::little);
    file.pcap_header(microseconds, 0x54000001).pcap_packet(0, 0, hello);
    CHECK(read_all(file.bytes()).packets.at(0).link_type == capture::LinkType::ethernet);
}

TEST_CASE("a pcap that is cut anywhere gives the whole packets before") {
    FileBytes file(Order::big);
    file.pcap_header(microseconds, 1).pcap_packet(1, 0, hello).pcap_packet(2, 0, hello);
    const Bytes& whole = file.bytes();
    for (std::size_t size = 24; size < whole.size(); ++size) {
        const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        const auto read = read_all(part);
        INFO(size << " bytes");
        CHECK(read.packets.size() == (size - 24) / 21);
        const std::size_t left = (size - 24) % 21;
        CHECK(read.totals.end == (left == 0 ? End::complete : End::cut));
        CHECK(read.totals.left_bytes == left);
    }
    const auto read = read_all(Bytes(whole.begin(), whole.end() - 1));
    CHECK(remarks(read.totals) ==
          std::vector<std::string>{"read 1 packet, the last 20 bytes are cut off"});
}

TEST_CASE("a length that no packet has ends the reading") {
    FileBytes file(Order::little);
    file.pcap_header(microseconds, 1).pcap_packet(1, 0, hello);
    const std::size_t place = file.bytes().size();
    file.u32(1).u32(0).u32(0x7FFFFFFF).u32(5).raw(hello);
    const auto read = read_all(file.bytes());
    CHECK(read.packets.size() == 1);
    CHECK(read.totals.end == End::damaged);
    CHECK(read.totals.end_position == place);
    CHECK(remarks(read.totals) ==
          std::vector<std::string>{"read 1 packet, the file is damaged at byte 45"});
}

TEST_CASE("what is no capture is said to be none") {
    CHECK(open_error({}) == capture::ReadError::empty);
    CHECK(open_error(Bytes{0xD4}) == capture::ReadError::not_a_capture);
    CHECK(open_error(as_bytes("GIF89a and much more than a header")) ==
          capture::ReadError::not_a_capture);
    CHECK(open_error(FileBytes(Order::little).u32(microseconds).bytes()) ==
          capture::ReadError::cut_header);
    FileBytes version(Order::little);
    version.u32(microseconds).u16(543).u16(0).u32(0).u32(0).u32(65535).u32(1);
    CHECK(open_error(version.bytes()) == capture::ReadError::unsupported_version);
}
