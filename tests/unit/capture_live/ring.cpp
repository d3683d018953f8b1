// The bound of a recording.
#include "ring.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using namespace p2pdiag::capture_plugin;

namespace {

capture::Packet packet(const Bytes& data, std::int64_t time_ns) {
    capture::Packet made;
    made.time_ns = time_ns;
    made.interface = 3;
    made.original_size = static_cast<std::uint32_t>(data.size() + 5);
    made.direction = capture::Direction::outbound;
    made.data = data;
    return made;
}

}  // namespace

TEST_CASE("the newest packets stay, within the bound", "[capture]") {
    constexpr std::size_t most = 64 * 1024;
    Ring ring(most);
    const Bytes data(1000, 0x55);
    for (int i = 0; i < 10'000; ++i) ring.add(packet(data, i));
    const std::size_t kept = ring.packets().size();
    CHECK(kept > 40);
    CHECK(kept * data.size() <= most);
    CHECK(ring.overwritten() == 10'000 - kept);
    CHECK(ring.packets().back().time_ns == 9'999);
    CHECK(ring.packets().front().time_ns == static_cast<std::int64_t>(10'000 - kept));
    // Empty ones cost memory, too.
    for (int i = 0; i < 100'000; ++i) ring.add(packet({}, i));
    CHECK(ring.packets().size() < most / 32);
}

TEST_CASE("a packet larger than the bound leaves nothing", "[capture]") {
    Ring ring(1000);
    const Bytes data(2000, 1);
    ring.add(packet(data, 1));
    CHECK(ring.packets().empty());
    CHECK(ring.overwritten() == 1);
    ring.add(packet(Bytes(10, 1), 2));
    CHECK(ring.packets().size() == 1);
}

TEST_CASE("a packet is kept as it was, and sorted by its time", "[capture]") {
    Ring ring(100'000);
    const Bytes first{1, 2, 3};
    const Bytes second{4, 5};
    ring.add(packet(first, 20));
    ring.add(packet(second, 10));
    ring.add(packet(first, 10));
    ring.sort_by_time();
    REQUIRE(ring.packets().size() == 3);
    const capture::Packet view = ring.packets()[0].view();
    CHECK(view.time_ns == 10);
    CHECK(Bytes(view.data.begin(), view.data.end()) == second);
    CHECK(view.original_size == 7);
    CHECK(view.interface == 3);
    CHECK(view.direction == capture::Direction::outbound);
    CHECK(ring.packets()[1].data == first);
    CHECK(ring.packets()[2].time_ns == 20);
}
