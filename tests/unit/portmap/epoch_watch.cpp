// RFC 6887 section 8.5, at its edges.
#include <catch2/catch.hpp>
#include <initializer_list>

#include "net/portmap/port_control.hpp"

using namespace p2pdiag;
using net::portmap::EpochWatch;

namespace {

struct Sighting {
    std::uint32_t epoch;
    double seconds;  // when it came
};

// What the last of them means.
bool restarted(std::initializer_list<Sighting> sightings) {
    EpochWatch watch;
    bool last = false;
    for (const Sighting& one : sightings) {
        const auto at = std::chrono::duration<double>(one.seconds);
        last =
            watch.restarted(one.epoch, TimePoint(std::chrono::duration_cast<Clock::duration>(at)));
    }
    return last;
}

constexpr std::uint32_t largest = 0xFFFFFFFF;

}  // namespace

TEST_CASE("the first epoch says nothing") {
    CHECK_FALSE(restarted({{0, 0}}));
    CHECK_FALSE(restarted({{largest, 1e6}}));
}

TEST_CASE("a clock that runs as ours is no restart") {
    CHECK_FALSE(restarted({{1000, 0}, {1000, 0}}));
    CHECK_FALSE(restarted({{1000, 0}, {4600, 3600}}));
    CHECK_FALSE(restarted({{0, 0}, {604800, 604800}}));
}

TEST_CASE("going back by one second is a packet that was overtaken, by two it is a restart") {
    CHECK_FALSE(restarted({{1000, 0}, {999, 0}}));
    CHECK(restarted({{1000, 0}, {998, 0}}));
    CHECK(restarted({{1000, 0}, {0, 10}}));
    // The underflow that a 32-bit subtraction makes of it.
    CHECK_FALSE(restarted({{0, 0}, {0, 1}}));
    CHECK_FALSE(restarted({{1, 0}, {0, 0}}));
    CHECK(restarted({{largest, 0}, {0, 1}}));
}

TEST_CASE("a clock that drifts by a sixteenth, or counts in steps of two seconds, is no restart") {
    CHECK_FALSE(restarted({{1000, 0}, {1000 + 900, 960}}));
    CHECK(restarted({{1000, 0}, {1000 + 890, 960}}));
    CHECK_FALSE(restarted({{1000, 0}, {1000 + 960, 900}}));
    CHECK(restarted({{1000, 0}, {1000 + 970, 900}}));
    CHECK_FALSE(restarted({{1000, 0.0}, {1000, 1.9}}));
    CHECK_FALSE(restarted({{1000, 0.0}, {1002, 0.1}}));
    CHECK(restarted({{1000, 0.0}, {1003, 0.1}}));
    CHECK(restarted({{1000, 0}, {1000, 10}}));
}

TEST_CASE("a restart shows although the new epoch has overtaken the old one") {
    // Seen at 100, restarted at once, seen again an hour later at 3600.
    CHECK_FALSE(restarted({{100, 0}, {3600, 3600}}));  // a sixteenth hides this one: section 8.5
    CHECK(restarted({{1000, 0}, {3600, 3600}}));
}

TEST_CASE("a jump forward is a restart too, at every size of a 32-bit epoch") {
    CHECK(restarted({{0, 0}, {largest, 10}}));
    CHECK(restarted({{1000, 0}, {2000, 10}}));
    CHECK_FALSE(restarted({{0, 0}, {largest, 4294967295.0}}));
}

TEST_CASE("each sighting is compared with the one before") {
    CHECK_FALSE(restarted({{1000, 0}, {5, 10}, {15, 20}}));
    CHECK(restarted({{1000, 0}, {1010, 10}, {3, 20}}));
}
