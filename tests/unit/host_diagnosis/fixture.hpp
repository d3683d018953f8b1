// Reports and rules in few words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/engine.hpp"
#include "diagnosis/rules_check.hpp"
#include "diagnosis/rules_file.hpp"

namespace p2pdiag::diagnosis::test {

// {"code", severity, {evidence}} found by a check.
inline report::Finding finding(const std::string& code,
                               report::Severity severity = report::Severity::warning,
                               json::object evidence = {}) {
    report::Finding out;
    out.code = code;
    out.severity = severity;
    out.message = "message of " + code;
    out.evidence = std::move(evidence);
    return out;
}

inline report::CheckResult check(const std::string& id, report::Status status,
                                 std::vector<report::Finding> findings = {},
                                 json::value data = nullptr) {
    report::CheckResult out;
    out.id = id;
    out.status = status;
    out.summary = "summary of " + id;
    out.data = std::move(data);
    out.findings = std::move(findings);
    for (report::Finding& each : out.findings) each.check = id;
    return out;
}

inline report::Report report_of(std::vector<report::CheckResult> checks) {
    report::Report out;
    out.run_id = "1";
    out.target_port = 8000;
    out.checks = std::move(checks);
    return out;
}

inline std::string text_of(const Problems& problems) {
    std::string out;
    for (const profile::Problem& problem : problems) out += problem.to_string() + '\n';
    return out;
}

// What reading says; empty where nothing is wrong.
inline std::string problems_of(std::string_view text, const Known& known = {}) {
    Rules rules;
    Problems problems;
    read_rules(text, "f", rules, problems);
    for (auto& problem : check_rules(rules, known)) problems.push_back(problem);
    return text_of(problems);
}

inline Rules rules_of(std::string_view text) {
    Rules rules;
    Problems problems;
    read_rules(text, "f", rules, problems);
    return rules;
}

// A rule that holds where `conditions` do: "all = [{ code = \"a.b\" }]".
inline std::string rule(const std::string& id, const std::string& conditions,
                        const std::string& more = "", double confidence = 0.8) {
    return "[[cause]]\nid = \"cause." + id + "\"\ntitle = \"T " + id +
           "\"\nplace = \"you\"\nimpact = \"quality\"\nexplanation = \"E\"\n" + more +
           "\n[[cause.when]]\nconfidence = " + std::to_string(confidence) + '\n' + conditions +
           '\n';
}

inline std::vector<std::string> codes(const std::vector<report::Cause>& causes) {
    std::vector<std::string> out;
    for (const report::Cause& cause : causes) out.push_back(cause.code);
    return out;
}

}  // namespace p2pdiag::diagnosis::test
