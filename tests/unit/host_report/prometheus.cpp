#include "report/prometheus.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;

TEST_CASE("each status of a check is a series, and one of them is 1") {
    const std::string text = report::prometheus(report::all_statuses(), {});
    const std::string stun = "p2pdiag_check_status{check=\"stun.nat\",plugin=\"stun\",status=";
    CHECK_THAT(text, Contains(stun + "\"unknown\"} 1\n"));
    for (const char* other :
         {"pass", "warn", "fail", "skip", "error", "crashed", "timed_out", "cancelled"}) {
        CHECK_THAT(text, Contains(stun + '"' + other + "\"} 0\n"));
    }
    CHECK_THAT(text, Contains("p2pdiag_verdict{status=\"relay-only\"} 1\n"));
    CHECK_THAT(text, Contains("p2pdiag_verdict{status=\"open\"} 0\n"));
    CHECK_THAT(text, Contains("p2pdiag_findings{code=\"nat.udp-blocked\",severity=\"error\"} 1\n"));
    CHECK_THAT(text, Contains("p2pdiag_run_started_timestamp_seconds 1700000000.042\n"));
}

TEST_CASE("a series that is there twice would make the file invalid") {
    report::Report report = report::empty_report();
    report.checks = {report::check("a.b", report::Status::pass, ""),
                     report::check("a.b", report::Status::fail, "")};
    const std::string text = report::prometheus(report, {});
    const std::string series = "p2pdiag_check_status{check=\"a.b\",plugin=\"a\",status=\"pass\"}";
    const std::size_t first = text.find(series);
    REQUIRE(first != text.npos);
    CHECK(text.find(series, first + 1) == text.npos);
}

TEST_CASE("addresses and texts are in no label") {
    report::Report report = report::diagnosed();
    report.checks[0].summary = "from 198.51.100.7";
    report.checks[0].findings[0].message = "to 198.51.100.7";
    CHECK_THAT(report::prometheus(report, {}), !Contains("198.51.100.7"));
}
