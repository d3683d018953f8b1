// A test point per check. What could not be told is skipped with its reason, never a plain "ok".
#include "report/tap.hpp"

#include "report/report_json.hpp"
#include "report/text.hpp"

namespace p2pdiag::report {
namespace {

// Of a test point's line: "#" would begin a directive, "\" an escape.
std::string tap_text(std::string_view raw) {
    std::string out;
    for (const char c : single_line(raw, true)) {
        if (c == '#' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

// A double-quoted scalar of YAML 1.2, which a string of JSON is as well.
std::string yaml_text(std::string_view raw) {
    return json::to_text(json::value(single_line(raw, true)));
}

std::string yaml_findings(const std::vector<Finding>& findings) {
    if (findings.empty()) return {};
    std::string out = "  findings:\n";
    for (const Finding& finding : findings) {
        out += "    - code: " + yaml_text(finding.code) + "\n      severity: ";
        out += to_string(finding.severity);
        out += "\n      message: " + yaml_text(finding.message) + '\n';
    }
    return out;
}

struct TapOutcome {
    bool ok = false;
    bool skipped = false;
};

TapOutcome tap_outcome(Status status) {
    switch (status) {
        case Status::pass:
        case Status::warn: return {true, false};
        case Status::skip:
        case Status::unknown:
        case Status::cancelled: return {true, true};
        case Status::fail:
        case Status::error:
        case Status::crashed:
        case Status::timed_out: break;
    }
    return {false, false};
}

class TapPoints {
public:
    void add(bool ok, const std::string& description, const std::string& diagnostics) {
        lines_ += (ok ? "ok " : "not ok ") + std::to_string(++count_) + " - " + description + '\n';
        if (!diagnostics.empty()) lines_ += "  ---\n" + diagnostics + "  ...\n";
    }

    std::string text(const Report& report) const {
        std::string out = "TAP version 14\n1.." + std::to_string(count_);
        out += count_ == 0 ? " # SKIP no check was run\n" : "\n";
        return out + "# " + tap_text(report.verdict.status + ": " + report.verdict.headline) +
               '\n' + lines_;
    }

private:
    unsigned count_ = 0;
    std::string lines_;
};

void add_check(TapPoints& points, const CheckResult& check) {
    const TapOutcome outcome = tap_outcome(check.status);
    const std::string status(to_string(check.status));
    std::string description = tap_text(check.id);
    if (outcome.skipped) {
        const bool told = check.status == Status::skip && !check.summary.empty();
        description += " # SKIP " + (told ? std::string() : tap_text(status) + ": ");
        description += tap_text(check.summary);
    } else if (!check.summary.empty()) {
        description += ": " + tap_text(check.summary);
    }
    points.add(outcome.ok, description,
               "  status: " + status + "\n  duration_ms: " +
                   std::to_string(check.duration.count()) + '\n' + yaml_findings(check.findings));
}

}  // namespace

std::string tap(const Report& report, const RenderOptions&) {
    TapPoints points;
    for (const Finding& finding : report.host_findings) {
        points.add(finding.severity != Severity::error, "p2pdiag: " + tap_text(finding.code),
                   yaml_findings({finding}));
    }
    for (const CheckResult& check : report.checks) add_check(points, check);
    std::string out = points.text(report);
    // The checks that were cut off are skipped; without this the rest would look like everything.
    if (report.interrupted) out += "Bail out! The run was ended early\n";
    return out;
}

}  // namespace p2pdiag::report
