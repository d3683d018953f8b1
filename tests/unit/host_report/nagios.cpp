#include "report/nagios.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using report::FailOn;
using report::NagiosState;
using report::Status;

namespace {

report::Report nagios_report(std::initializer_list<Status> statuses) {
    report::Report report = report::empty_report();
    report.verdict.status = "direct";
    for (const Status status : statuses) report.checks.push_back(report::check("a.b", status, ""));
    return report;
}

}  // namespace

TEST_CASE("the state of Nagios, by what was measured") {
    CHECK(report::nagios_state(nagios_report({Status::pass, Status::skip}), FailOn::fail) ==
          NagiosState::ok);
    CHECK(report::nagios_state(nagios_report({Status::pass, Status::warn}), FailOn::fail) ==
          NagiosState::warning);
    CHECK(report::nagios_state(nagios_report({Status::warn, Status::fail, Status::crashed}),
                               FailOn::fail) == NagiosState::critical);
    CHECK(report::nagios_state(nagios_report({Status::pass, Status::crashed}), FailOn::fail) ==
          NagiosState::unknown);
    CHECK(report::nagios_state(nagios_report({Status::unknown}), FailOn::fail) ==
          NagiosState::unknown);
    CHECK(report::nagios_state(nagios_report({}), FailOn::fail) == NagiosState::unknown);
}

TEST_CASE("the threshold says what is critical") {
    CHECK(report::nagios_state(nagios_report({Status::warn}), FailOn::warn) ==
          NagiosState::critical);
    CHECK(report::nagios_state(nagios_report({Status::pass, Status::unknown}), FailOn::unknown) ==
          NagiosState::critical);
}

TEST_CASE("a run that was cut short is never OK") {
    report::Report cut = nagios_report({Status::pass});
    cut.interrupted = true;
    CHECK(report::nagios_state(cut, FailOn::fail) == NagiosState::unknown);
    cut.checks[0].status = Status::fail;
    CHECK(report::nagios_state(cut, FailOn::fail) == NagiosState::critical);
}

TEST_CASE("the exit code is the state") {
    for (const auto& [name, report] : report::all_samples()) {
        const int code = report::nagios_exit_code(report, FailOn::fail);
        CHECK(code == static_cast<int>(report::nagios_state(report, FailOn::fail)));
        CHECK((code >= 0 && code <= 3));
    }
}

TEST_CASE("the first line has the state, the headline and numbers") {
    const std::string text = report::nagios(report::all_statuses(), {});
    CHECK_THAT(text,
               StartsWith("P2PDIAG CRITICAL - relay-only: Peers reach you through a relay only. | "
                          "duration=1.234s;;;0 checks=9;;;0 passed=1;;;0 "));
    CHECK_THAT(text, Contains("\nstun.nat unknown: needs an answer of a STUN server\n"));
    CHECK_THAT(text, !Contains("\nnetwork.interfaces "));
}

TEST_CASE("no text of others begins the numbers, and none is endless") {
    report::Report report = nagios_report({Status::fail});
    report.verdict.headline = "a|b=1;;;0";
    report.checks[0].summary = std::string(100'000, 'x');
    const std::string text = report::nagios(report, {});
    CHECK_THAT(text, StartsWith("P2PDIAG CRITICAL - direct: a/b=1;;;0 | duration="));
    CHECK(text.size() < 2000);
    CHECK(report::nagios_unknown("no\nsuch|check", 2) == "P2PDIAG UNKNOWN - no such/check\n");
}
