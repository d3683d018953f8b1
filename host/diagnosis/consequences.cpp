#include "diagnosis/consequences.hpp"

#include <string_view>

namespace p2pdiag::diagnosis {

using report::CheckResult;
using report::Finding;
using report::Severity;

namespace {

constexpr const char* follows_from = "follows_from";

std::string ending_for(std::string_view code) {
    return " (follows from " + std::string(code) + ')';
}

}  // namespace

void demote(std::vector<CheckResult>& checks, const Consequences& consequences) {
    for (CheckResult& check : checks) {
        for (Finding& finding : check.findings) {
            const auto found = consequences.find(&finding);
            if (found == consequences.end()) continue;
            finding.severity = Severity::warning;
            finding.message += ending_for(found->second);
            finding.evidence[follows_from] = json::value(std::string_view(found->second));
        }
    }
}

void restore_consequences(std::vector<CheckResult>& checks) {
    for (CheckResult& check : checks) {
        for (Finding& finding : check.findings) {
            const auto code = json::find_string(finding.evidence, follows_from);
            if (!code) continue;
            const std::string ending = ending_for(*code);
            if (!finding.message.ends_with(ending)) continue;
            finding.message.resize(finding.message.size() - ending.size());
            finding.evidence.erase(follows_from);
            finding.severity = Severity::error;
        }
    }
}

}  // namespace p2pdiag::diagnosis
