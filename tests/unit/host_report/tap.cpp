#include "report/tap.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

TEST_CASE("each status has its TAP outcome") {
    const std::string tap = report::tap(report::all_statuses(), {});
    CHECK_THAT(tap, StartsWith("TAP version 14\n1..10\n"));
    CHECK_THAT(tap, Contains("\nnot ok 1 - p2pdiag: host.plugin-rejected\n"));
    CHECK_THAT(tap, Contains("\nok 3 - network.dns: names resolve, but slowly (812 ms)\n  ---\n"
                             "  status: warn\n  duration_ms: 56\n  findings:\n"
                             "    - code: \"net.dns-slow\"\n      severity: warning\n"));
    CHECK_THAT(tap, Contains("\nnot ok 4 - stun.servers: no STUN server answers"));
    CHECK_THAT(tap, Contains("\nok 5 - upnp.router # SKIP no router in this network\n"));
    CHECK_THAT(tap, Contains("\nnot ok 8 - capture.live: "));
    CHECK_THAT(tap, Contains("\nnot ok 9 - holepunch.a-check-with-a-very-long-name: "));
}

TEST_CASE("what could not be told is a skip with its reason, never a plain ok") {
    const std::string tap = report::tap(report::all_statuses(), {});
    CHECK_THAT(tap,
               Contains("\nok 6 - stun.nat # SKIP unknown: needs an answer of a STUN server\n"));
    CHECK_THAT(tap, Contains("\nok 10 - chat.end-to-end # SKIP cancelled"));
}

TEST_CASE("a run that was cut off does not look like a whole one") {
    CHECK_THAT(report::tap(report::interrupted(), {}), Contains("\nBail out! "));
    CHECK_THAT(report::tap(report::all_statuses(), {}), !Contains("Bail out!"));
    CHECK_THAT(report::tap(report::empty_report(), {}), Contains("\n1..0 # SKIP "));
}

TEST_CASE("no text makes a directive or a line of its own") {
    report::Report report = report::empty_report();
    report.checks = {report::check("a.b", report::Status::fail, "x # TODO later\nok 2 - y \\")};
    const std::string tap = report::tap(report, {});
    CHECK_THAT(tap, Contains("\nnot ok 1 - a.b: x \\# TODO later ok 2 - y \\\\\n"));
    CHECK_THAT(tap, !Contains("\nok 2"));
}
