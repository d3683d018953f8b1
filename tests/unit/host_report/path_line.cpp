#include "report/path_line.hpp"

#include <catch2/catch.hpp>

#include "report/text.hpp"
#include "samples.hpp"

using namespace p2pdiag;
using report::PathLeg;
using report::PathState;

namespace {

std::array<PathLeg, 4> all_kinds() {
    return {PathLeg{PathState::works, "", "firewall.inbound", "open"},
            PathLeg{PathState::limited, "nat.symmetric", "stun.nat", "limits"},
            PathLeg{PathState::broken, "nat.cgnat", "stun.nat", "breaks"},
            PathLeg{PathState::unknown, "", "", "nobody knows"}};
}

report::RenderOptions of_width(unsigned width) {
    report::RenderOptions options;
    options.width = width;
    return options;
}

}  // namespace

TEST_CASE("each state of a leg is drawn in its own way") {
    report::RenderOptions options;
    CHECK(report::path_line(all_kinds(), options) ==
          "you ───── firewall ──!── router ──✗── carrier ··?·· internet");
    options.unicode = false;
    CHECK(report::path_line(all_kinds(), options) ==
          "you ----- firewall --!-- router --x-- carrier ..?.. internet");
    options.colour = true;
    CHECK(report::path_line(all_kinds(), options) ==
          "you \x1b[32m-----\x1b[0m firewall \x1b[33m--!--\x1b[0m router \x1b[31m--x--\x1b[0m "
          "carrier "
          "\x1b[2m..?..\x1b[0m internet");
}

TEST_CASE("a path keeps to the width") {
    CHECK(report::path_line(all_kinds(), of_width(52)) ==
          "you ─── firewall ─!─ router ─✗─ carrier ·?· internet");
    CHECK(report::path_line(all_kinds(), of_width(51)) ==
          "you──firewall─!router─✗carrier·?internet");
    for (unsigned width = 40; width < 100; ++width) {
        CAPTURE(width);
        CHECK(report::columns(report::path_line(all_kinds(), of_width(width))) <= width);
    }
}

TEST_CASE("what is wrong with the path is said in words, the worst first") {
    CHECK(report::path_words(all_kinds()) ==
          "Broken: router to carrier (nat.cgnat). Limited: firewall to router (nat.symmetric). Not "
          "measured: carrier to internet.");
    CHECK(report::path_words(
              {PathLeg{PathState::works, "", "", ""}, PathLeg{PathState::works, "", "", ""},
               PathLeg{PathState::works, "", "", ""}, PathLeg{PathState::works, "", "", ""}})
              .empty());
}

TEST_CASE("a path that nobody looked at is not drawn, one that could not be told is") {
    report::Report report;
    report.checks = {report::check("network.dns", report::Status::pass, "")};
    CHECK_FALSE(report::drawn_path(report));
    report.checks = {report::check("stun.nat", report::Status::unknown, "no server answers")};
    const auto legs = report::drawn_path(report);
    REQUIRE(legs);
    CHECK(report::path_words(*legs) ==
          "Not measured: you to firewall, firewall to router, router to carrier, carrier to "
          "internet.");
}
