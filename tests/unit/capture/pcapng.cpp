#include <catch2/catch.hpp>

#include "files.hpp"

using namespace p2pdiag;
using capture::Direction;
using capture::End;
using capture::LinkType;
using p2pdiag::testing::FileBytes;
using p2pdiag::testing::open_error;
using p2pdiag::testing::Order;
using p2pdiag::testing::read_all;

namespace {

const Bytes hello = {'h', 'e', 'l', 'l', 'o'};

FileBytes begin(Order order = Order::little) {
    FileBytes file(order);
    file.section().interface(1);
    return file;
}

// The options of an interface whose time has this resolution.
Bytes resolution(std::uint8_t value) {
    return FileBytes(Order::little).option(9, Bytes{value}).bytes();
}

std::optional<std::int64_t> time_of(std::uint8_t tsresol, std::uint64_t units) {
    FileBytes file(Order::little);
    file.section().interface(1, 0, resolution(tsresol)).enhanced(0, units, hello);
    return read_all(file.bytes()).packets.at(0).time_ns;
}

}  // namespace

TEST_CASE("pcapng in both byte orders, with options") {
    for (const Order order : {Order::little, Order::big}) {
        FileBytes described(order);
        described.option(2, as_bytes("eth0")).option(12, as_bytes("Linux"));
        described.option(11, as_bytes(std::string_view("\0udp", 4)));
        described.option(9, Bytes{9}).option(0, {});
        const Bytes inbound = FileBytes(order).u32(1).bytes();
        FileBytes options(order);
        options.option(1, as_bytes("first")).option(2, inbound).option(1, as_bytes("second"));
        FileBytes file(order);
        file.section().interface(276, 96, described.bytes());
        file.enhanced(0, 1'700'000'000'123'456'789, hello, options.bytes());

        const auto read = read_all(file.bytes());
        REQUIRE(read.packets.size() == 1);
        CHECK(read.packets[0].time_ns == 1'700'000'000'123'456'789);
        CHECK(read.packets[0].data == hello);
        CHECK(read.packets[0].direction == Direction::inbound);
        CHECK(read.packets[0].comments == std::vector<std::string>{"first", "second"});
        REQUIRE(read.interfaces.size() == 1);
        CHECK(read.interfaces[0] ==
              capture::Interface{LinkType::linux_sll2, 96, "eth0", "", "udp", "Linux"});
        CHECK(read.totals.end == End::complete);
        CHECK(remarks(read.totals).empty());
    }
}

TEST_CASE("units of time") {
    CHECK(time_of(6, 1'700'000'000'000'001) == 1'700'000'000'000'001'000);
    CHECK(time_of(9, 5) == 5);
    CHECK(time_of(0, 3) == 3'000'000'000);
    CHECK(time_of(12, 1'999'999'999'999) == 1'999'999'999);
    CHECK(time_of(0x80 | 10, 1536) == 1'500'000'000);
    CHECK(time_of(0x80 | 63, std::uint64_t{3} << 62) == 1'500'000'000);
    // More units in a second than 64 bits hold, and more seconds.
    CHECK_FALSE(time_of(20, 1).has_value());
    CHECK_FALSE(time_of(0xFF, 1).has_value());
    CHECK_FALSE(time_of(0, ~std::uint64_t{0}).has_value());

    for (const std::int64_t offset : {std::int64_t{-7}, std::int64_t{3600}}) {
        const Bytes value =
            FileBytes(Order::little).u64(static_cast<std::uint64_t>(offset)).bytes();
        FileBytes file(Order::little);
        file.section().interface(1, 0, FileBytes(Order::little).option(14, value).bytes());
        file.enhanced(0, 1'000'000, hello);
        CHECK(read_all(file.bytes()).packets.at(0).time_ns == (offset + 1) * 1'000'000'000);
    }
    const Bytes far = FileBytes(Order::little).u64(std::uint64_t{1} << 63).bytes();
    FileBytes file(Order::little);
    file.section().interface(1, 0, FileBytes(Order::little).option(14, far).bytes());
    CHECK_FALSE(read_all(file.enhanced(0, 1, hello).bytes()).packets.at(0).time_ns.has_value());
}

TEST_CASE("interfaces of several link types and sections of both byte orders") {
    FileBytes file(Order::little);
    file.section().interface(1).interface(113).enhanced(1, 1, hello).enhanced(0, 2, hello);
    FileBytes other(Order::big);
    other.section().interface(101).enhanced(0, 3, hello);
    file.raw(other.bytes());
    const auto read = read_all(file.bytes());
    REQUIRE(read.packets.size() == 3);
    CHECK(read.packets[0].link_type == LinkType::linux_sll);
    CHECK(read.packets[1].link_type == LinkType::ethernet);
    CHECK(read.packets[2].link_type == LinkType::raw);
    CHECK(read.packets[2].interface == 2);
    CHECK(read.totals.sections == 2);
    // The second section has one interface; a number of the first is none of its own.
    const auto wrong =
        read_all(file.raw(FileBytes(Order::big).enhanced(1, 4, hello).bytes()).bytes());
    CHECK(wrong.packets.size() == 3);
    CHECK(wrong.totals.unknown_interface == 1);
}

TEST_CASE("simple and obsolete packet blocks") {
    FileBytes file(Order::little);
    file.section().interface(1, 4);
    file.block(3, FileBytes(Order::little).u32(5).padded(hello).bytes());
    FileBytes obsolete(Order::little);
    obsolete.u16(0).u16(9).u32(0).u32(77).u32(5).u32(600).padded(hello);
    file.block(2, obsolete.bytes());
    const auto read = read_all(file.bytes());
    REQUIRE(read.packets.size() == 2);
    CHECK(read.packets[0].data == Bytes{'h', 'e', 'l', 'l'});  // the snap length of the interface
    CHECK_FALSE(read.packets[0].time_ns.has_value());
    CHECK(read.packets[1].time_ns == 77'000);
    CHECK(read.packets[1].original_size == 600);
}

TEST_CASE("what is no packet is skipped and counted") {
    FileBytes file = begin();
    file.block(4, Bytes(8));               // names
    file.block(0x0BAD, Bytes(8));          // custom
    file.block(10, as_bytes("12345678"));  // secrets
    file.block(0x12345678, Bytes(4));
    FileBytes lost(Order::little);
    lost.u32(0).u32(0).u32(0);
    lost.option(5, FileBytes(Order::little).u64(3).bytes());
    lost.option(7, FileBytes(Order::little).u64(4).bytes());
    file.block(5, lost.bytes()).enhanced(0, 1, hello);
    const auto read = read_all(file.bytes());
    CHECK(read.packets.size() == 1);
    CHECK(read.totals.secrets_blocks == 1);
    CHECK(read.totals.unknown_blocks == 1);
    CHECK(read.totals.lost == 7);
    CHECK(remarks(read.totals).size() == 3);
    CHECK_FALSE(read_all(begin().bytes()).totals.lost.has_value());
}

TEST_CASE("lengths that lie inside a block cost that block alone") {
    FileBytes file = begin();
    file.enhanced(0, 1, hello, {}, 9);  // more captured than there is
    file.block(6, Bytes(8));            // shorter than its header
    file.block(1, Bytes(4));            // an interface without its fields
    file.block(5, Bytes(4));
    file.block(3, Bytes{});
    FileBytes lying(Order::little);
    lying.option(1, as_bytes("kept")).u16(1).u16(60000).u32(0);
    file.enhanced(0, 2, hello, lying.bytes());
    const auto read = read_all(file.bytes());
    REQUIRE(read.packets.size() == 1);
    CHECK(read.packets[0].comments == std::vector<std::string>{"kept"});
    CHECK(read.totals.bad_blocks == 6);
    CHECK(read.totals.end == End::complete);
}

TEST_CASE("a block length that cannot be ends the reading") {
    for (const std::uint32_t size : {0U, 8U, 13U}) {
        FileBytes file = begin();
        file.enhanced(0, 1, hello).u32(6).u32(size).u32(0).u32(0);
        const auto read = read_all(file.bytes());
        CHECK(read.packets.size() == 1);
        CHECK(read.totals.end == End::damaged);
    }
    FileBytes mismatch = begin();
    mismatch.u32(6).u32(16).u32(0).u32(20);
    CHECK(read_all(mismatch.bytes()).totals.end == End::damaged);
}

TEST_CASE("a block that is longer than any may be is passed over") {
    FileBytes file = begin();
    file.block(0x0BAD, Bytes(3 << 20)).enhanced(0, 1, hello);
    const auto read = read_all(file.bytes());
    CHECK(read.packets.size() == 1);
    CHECK(read.totals.oversized == 1);
    // One that claims four gigabytes and is not there.
    FileBytes lying = begin();
    lying.u32(6).u32(0xFFFFFFFC).u32(0).u32(0);
    const auto cut = read_all(lying.bytes());
    CHECK(cut.totals.end == End::cut);
    CHECK(cut.totals.left_bytes == 16);
}

TEST_CASE("a pcapng that is cut anywhere gives the whole packets before") {
    FileBytes file = begin();
    const std::size_t start = file.bytes().size();
    file.enhanced(0, 1, hello).enhanced(0, 2, hello);
    const Bytes& whole = file.bytes();
    const std::size_t one = (whole.size() - start) / 2;
    for (std::size_t size = start; size < whole.size(); ++size) {
        const auto read = read_all(ByteView(whole).first(size));
        INFO(size << " bytes");
        CHECK(read.packets.size() == (size - start) / one);
        CHECK(read.totals.left_bytes == (size - start) % one);
    }
}

TEST_CASE("a header that is no section of version 1") {
    FileBytes version(Order::big);
    version.u32(0x0A0D0D0A).u32(28).u32(0x1A2B3C4D).u16(2).u16(0).u64(0).u32(28);
    CHECK(open_error(version.bytes()) == capture::ReadError::unsupported_version);
    FileBytes magic(Order::big);
    magic.u32(0x0A0D0D0A).u32(28).u32(0x1A2B3C4E).u16(1).u16(0).u64(0).u32(28);
    CHECK(open_error(magic.bytes()) == capture::ReadError::not_a_capture);
    CHECK(open_error(FileBytes(Order::big).u32(0x0A0D0D0A).bytes()) ==
          capture::ReadError::cut_header);
    // A later one of another version: what came before stands.
    FileBytes later = begin();
    later.enhanced(0, 1, hello).raw(version.bytes());
    CHECK(read_all(later.bytes()).packets.size() == 1);
    CHECK(read_all(later.bytes()).totals.end == End::damaged);
}
