#include "report/exit_code.hpp"

#include <algorithm>

namespace p2pdiag::report {
namespace {

bool at_threshold(Status status, FailOn fail_on) {
    switch (status) {
        case Status::fail: return true;
        case Status::warn: return fail_on == FailOn::warn;
        case Status::unknown: return fail_on == FailOn::unknown;
        case Status::pass:
        case Status::skip:
        case Status::error:
        case Status::crashed:
        case Status::timed_out:
        case Status::cancelled: break;
    }
    return false;
}

bool went_wrong(Status status) {
    return status == Status::error || status == Status::crashed || status == Status::timed_out;
}

bool measured(Status status) {
    return status == Status::pass || status == Status::warn || status == Status::fail;
}

bool left_open(Status status) { return status == Status::unknown || status == Status::cancelled; }

template <class Predicate>
bool any(const Report& report, Predicate predicate) {
    return std::ranges::any_of(report.checks, predicate, &CheckResult::status);
}

}  // namespace

std::optional<FailOn> parse_fail_on(std::string_view text) {
    if (text == "warn") return FailOn::warn;
    if (text == "fail") return FailOn::fail;
    if (text == "unknown") return FailOn::unknown;
    return std::nullopt;
}

int exit_code(const Report& report, FailOn fail_on, Ending ending) {
    switch (ending) {
        case Ending::interrupt_signal: return exit_codes::interrupted;
        case Ending::terminate_signal: return exit_codes::terminated;
        case Ending::deadline: return exit_codes::deadline;
        case Ending::complete: break;
    }
    // What was measured stands, even if another check broke.
    if (any(report, [&](Status status) { return at_threshold(status, fail_on); })) {
        return exit_codes::findings;
    }
    const bool host_error = std::ranges::any_of(report.host_findings, [](const Finding& finding) {
        return finding.severity == Severity::error;
    });
    if (host_error || any(report, went_wrong)) return exit_codes::internal;
    if (!any(report, measured)) return exit_codes::undetermined;
    // A run of a few checks that all passed has no verdict to give, and is none the worse for it.
    if (report.verdict.status == "unknown" && any(report, left_open)) {
        return exit_codes::undetermined;
    }
    return exit_codes::nothing;
}

}  // namespace p2pdiag::report
