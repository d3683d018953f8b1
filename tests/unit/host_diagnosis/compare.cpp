#include "diagnosis/compare.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"
#include "report/changes.hpp"

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;
using report::Severity;
using report::Status;

TEST_CASE("a report is no different from itself") {
    auto report = report_of({check("a.check", Status::warn, {finding("a.b")})});
    CHECK(compare(report, report).list.empty());
    // What a message measures is no change.
    auto later = report;
    later.checks[0].findings[0].message = "now 13 ms";
    CHECK(compare(report, later).list.empty());
}

TEST_CASE("what came, went and changed") {
    auto before = report_of({check("a.check", Status::warn, {finding("a.b"), finding("a.gone")}),
                             check("a.other", Status::pass)});
    auto after = report_of({check("a.check", Status::fail,
                                  {finding("a.b", Severity::error), finding("a.i", Severity::info),
                                   finding("a.c", Severity::warning, {{"family", "ipv6"}})})});
    before.verdict.status = "direct";
    after.verdict.status = "offline";
    report::Cause cause;
    cause.code = "cause.x";
    cause.confidence = 0.9;
    after.causes = {cause};
    const auto lines = report::change_lines(compare(before, after));
    CHECK(lines ==
          std::vector<std::string>{"verdict: direct, now offline", "cause cause.x: new, likely",
                                   "check a.check: warn, now fail", "check a.other: gone, was pass",
                                   "finding a.b (a.check): warning, now error",
                                   "finding a.gone (a.check): gone, was warning",
                                   "finding a.c (a.check, ipv6): new, warning"});
}
