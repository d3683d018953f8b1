#include "capture/input.hpp"

#include <zlib.h>

#include <catch2/catch.hpp>

#include "files.hpp"

using namespace p2pdiag;
using capture::End;
using p2pdiag::testing::FileBytes;
using p2pdiag::testing::open_error;
using p2pdiag::testing::Order;
using p2pdiag::testing::read_all;

namespace {

Bytes gzip(ByteView plain) {
    z_stream stream{};
    REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    Bytes out(::deflateBound(&stream, plain.size()));
    stream.next_in = const_cast<Bytef*>(plain.data());
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

Bytes capture_of(unsigned packets, std::size_t size) {
    FileBytes file(Order::little);
    file.pcap_header(0xA1B2C3D4, 1);
    for (unsigned i = 0; i < packets; ++i) file.pcap_packet(i, 0, Bytes(size, 7));
    return file.bytes();
}

// Gives one byte at a time.
class Drip : public capture::Input {
public:
    explicit Drip(ByteView bytes) : rest_(bytes) {}
    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        if (rest_.empty()) return std::size_t{0};
        into[0] = rest_[0];
        rest_ = rest_.subspan(1);
        return std::size_t{1};
    }

private:
    ByteView rest_;
};

}  // namespace

TEST_CASE("a file larger than the window, plain, compressed and in pieces") {
    const Bytes plain = capture_of(40, 60'000);
    const auto read = read_all(plain);
    CHECK(read.packets.size() == 40);
    CHECK(read.packets.back().data == Bytes(60'000, 7));
    const Bytes packed = gzip(plain);
    CHECK(packed.size() < plain.size() / 10);
    CHECK(read_all(packed).packets.size() == 40);

    const Bytes small = gzip(capture_of(3, 10));
    auto reader = capture::Reader::open(std::make_unique<Drip>(small));
    REQUIRE(reader.has_value());
    CHECK(read_all(*reader).packets.size() == 3);
}

TEST_CASE("gzip members one after the other are one file") {
    const Bytes plain = capture_of(3, 10);
    Bytes packed = gzip(ByteView(plain).first(30));
    const Bytes second = gzip(ByteView(plain).subspan(30));
    packed.insert(packed.end(), second.begin(), second.end());
    const auto read = read_all(packed);
    CHECK(read.packets.size() == 3);
    CHECK(read.totals.end == End::complete);
}

TEST_CASE("compressed data that breaks off or is damaged is said to be so") {
    const Bytes plain = capture_of(100, 100);
    Bytes packed = gzip(plain);
    const auto cut = read_all(ByteView(packed).first(packed.size() - 4));
    CHECK(cut.packets.size() == 100);
    CHECK(cut.totals.end == End::cut);
    CHECK(remarks(cut.totals) ==
          std::vector<std::string>{"read 100 packets, then the gzip data is cut off"});

    packed[packed.size() - 8] ^= 1;  // the checksum
    const auto damaged = read_all(packed);
    CHECK(damaged.totals.end == End::damaged);
    CHECK(open_error(Bytes{0x1f, 0x8b, 0, 0, 0}) == capture::InputError::damaged_gzip);
    CHECK(open_error(Bytes{0x1f, 0x8b}) == capture::InputError::cut_gzip);
}

TEST_CASE("a pipe is read to its end, and no longer than it is wanted") {
    const Bytes plain = capture_of(3, 10);
    Pipe pipe = make_pipe();
    Pipe cancel = make_pipe();
    REQUIRE(write_all(pipe.write.get(), as_text(plain)));
    auto reader = capture::Reader::open(capture::input_of(std::move(pipe.read), cancel.read.get()));
    REQUIRE(reader.has_value());
    SECTION("the end") {
        pipe.write.reset();
        CHECK(read_all(*reader).totals.end == End::complete);
    }
    SECTION("cancelled") {
        REQUIRE(write_all(cancel.write.get(), "x"));
        const auto read = read_all(*reader);
        CHECK(read.totals.end == End::cancelled);
        CHECK(remarks(read.totals).at(0).ends_with("then it was stopped"));
    }
}

TEST_CASE("a descriptor that cannot be read") {
    Pipe pipe = make_pipe();
    const auto reader = capture::Reader::open(capture::input_of(std::move(pipe.write)));
    REQUIRE_FALSE(reader.has_value());
    CHECK(reader.error() == boost::system::errc::bad_file_descriptor);
}
