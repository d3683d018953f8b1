#include "diagnosis/consequences.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace p2pdiag::diagnosis {

namespace {

using report::CheckResult;
using report::Finding;
using report::Severity;

struct Consequence {
    std::string_view code;
    std::string_view cause;
};

// Where several causes are found, the first of a code is named.
constexpr Consequence consequences[] = {
    {"net.no-internet", "net.no-link"},
    {"net.no-internet", "net.no-default-route"},
    {"net.no-internet", "net.captive-portal"},
    {"nat.udp-blocked", "net.captive-portal"},
    {"nat.stun-unreachable", "net.no-link"},
    {"nat.stun-unreachable", "net.no-default-route"},
    {"nat.stun-unreachable", "net.captive-portal"},
    {"nat.stun-unreachable", "net.no-internet"},
    {"nat.stun-unreachable", "nat.udp-blocked"},
};

// A copy: the findings are changed while it is looked at.
struct Error {
    std::string code;
    std::string family;  // empty: of both, or of whichever there is
};

std::string family_of(const Finding& finding) {
    return std::string(json::find_string(finding.evidence, "family").value_or(""));
}

std::vector<Error> errors_of(const std::vector<CheckResult>& checks) {
    std::vector<Error> errors;
    for (const CheckResult& check : checks) {
        for (const Finding& finding : check.findings) {
            if (finding.severity != Severity::error) continue;
            errors.push_back({finding.code, family_of(finding)});
        }
    }
    return errors;
}

// Empty for a finding that stands for itself.
std::string_view cause_of(const Finding& finding, const std::vector<Error>& errors) {
    const std::string family = family_of(finding);
    for (const Consequence& rule : consequences) {
        if (finding.code != rule.code) continue;
        // What is wrong with one family explains nothing of the other.
        const auto explains = [&](const Error& error) {
            const bool same = error.family == family || error.family.empty() || family.empty();
            return error.code == rule.cause && same;
        };
        if (std::any_of(errors.begin(), errors.end(), explains)) return rule.cause;
    }
    return {};
}

}  // namespace

void demote_consequences(std::vector<CheckResult>& checks) {
    const std::vector<Error> errors = errors_of(checks);
    for (CheckResult& check : checks) {
        for (Finding& finding : check.findings) {
            if (finding.severity != Severity::error) continue;
            const std::string_view cause = cause_of(finding, errors);
            if (cause.empty()) continue;
            finding.severity = Severity::warning;
            finding.message += " (follows from " + std::string(cause) + ')';
            finding.evidence["follows_from"] = cause;
        }
    }
}

}  // namespace p2pdiag::diagnosis
