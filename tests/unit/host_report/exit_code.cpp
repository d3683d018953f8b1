#include "report/exit_code.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

using namespace p2pdiag;
using report::Ending;
using report::exit_code;
using report::FailOn;
using report::Status;

namespace {

report::Report of(std::initializer_list<Status> statuses, const char* verdict = "direct") {
    report::Report report;
    report.verdict.status = verdict;
    for (const Status status : statuses) report.checks.push_back(report::check("a.b", status, ""));
    return report;
}

}  // namespace

TEST_CASE("findings are counted from the threshold on") {
    CHECK(exit_code(of({Status::pass}), FailOn::fail) == 0);
    CHECK(exit_code(of({Status::pass, Status::skip}), FailOn::warn) == 0);
    CHECK(exit_code(of({Status::warn}), FailOn::fail) == 0);
    CHECK(exit_code(of({Status::warn}), FailOn::warn) == 1);
    CHECK(exit_code(of({Status::warn}), FailOn::unknown) == 0);
    for (const FailOn fail_on : {FailOn::warn, FailOn::fail, FailOn::unknown}) {
        CHECK(exit_code(of({Status::pass, Status::fail}), fail_on) == 1);
    }
    CHECK(exit_code(of({Status::pass, Status::unknown}), FailOn::unknown) == 1);
    CHECK(exit_code(of({Status::pass, Status::unknown}), FailOn::fail) == 0);
}

TEST_CASE("what could not be determined is not success") {
    CHECK(exit_code(of({Status::unknown}), FailOn::fail) == 3);
    CHECK(exit_code(of({Status::skip, Status::unknown}), FailOn::warn) == 3);
    CHECK(exit_code(of({Status::skip}), FailOn::fail) == 3);
    CHECK(exit_code(of({}), FailOn::fail) == 3);
    CHECK(exit_code(of({Status::pass, Status::unknown}, "unknown"), FailOn::fail) == 3);
    CHECK(exit_code(of({Status::pass, Status::cancelled}, "unknown"), FailOn::fail) == 3);
}

TEST_CASE("checks that all passed are success without a verdict too") {
    CHECK(exit_code(of({Status::pass, Status::pass}, "unknown"), FailOn::fail) == 0);
}

TEST_CASE("a check that broke is an internal error, but hides no finding") {
    for (const Status broken : {Status::error, Status::crashed, Status::timed_out}) {
        CHECK(exit_code(of({Status::pass, broken}), FailOn::fail) == 4);
        CHECK(exit_code(of({Status::unknown, broken}, "unknown"), FailOn::fail) == 4);
        CHECK(exit_code(of({Status::fail, broken}), FailOn::fail) == 1);
    }
}

TEST_CASE("a plugin that was not loaded counts by its severity, and hides no finding") {
    for (const auto& [severity, code] :
         {std::pair(report::Severity::error, 4), std::pair(report::Severity::warning, 0)}) {
        report::Report report = of({Status::pass});
        report.host_findings = {report::finding("host.plugin-rejected", severity, "", "")};
        CHECK(exit_code(report, FailOn::fail) == code);
        report.checks.push_back(report::check("a.c", Status::fail, ""));
        CHECK(exit_code(report, FailOn::fail) == 1);
    }
}

TEST_CASE("how the run was ended comes first") {
    const report::Report failed = of({Status::fail, Status::crashed});
    CHECK(exit_code(failed, FailOn::fail, Ending::interrupt_signal) == 130);
    CHECK(exit_code(failed, FailOn::fail, Ending::terminate_signal) == 143);
    CHECK(exit_code(failed, FailOn::fail, Ending::deadline) == 124);
}

TEST_CASE("thresholds by name") {
    CHECK(report::parse_fail_on("warn") == FailOn::warn);
    CHECK(report::parse_fail_on("fail") == FailOn::fail);
    CHECK(report::parse_fail_on("unknown") == FailOn::unknown);
    CHECK_FALSE(report::parse_fail_on("").has_value());
    CHECK_FALSE(report::parse_fail_on("Fail").has_value());
}
