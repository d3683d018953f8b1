#include "diagnosis/compare.hpp"

#include <map>

#include "diagnosis/facts.hpp"
#include "report/report_json.hpp"

namespace p2pdiag::diagnosis {

namespace {

using report::Change;
using report::Finding;
using report::Report;

// What is there under which name, in one report.
using Named = std::map<std::string, std::string>;

void add_differences(std::string_view kind, const Named& before, const Named& after,
                     std::vector<Change>& list) {
    for (const auto& [name, text] : before) {
        const auto now = after.find(name);
        const std::string current = now == after.end() ? std::string() : now->second;
        if (current != text) list.push_back({std::string(kind), name, text, current});
    }
    for (const auto& [name, text] : after) {
        if (!before.contains(name)) list.push_back({std::string(kind), name, {}, text});
    }
}

Named status_by_check(const Report& report) {
    Named out;
    for (const auto& check : report.checks) out.emplace(check.id, to_string(check.status));
    return out;
}

// Mere information comes and goes.
Named severity_by_finding(const Report& report) {
    Named out;
    for (const Finding* finding : report::all_findings(report)) {
        if (finding->severity == report::Severity::info) continue;
        std::string name = finding->code;
        const std::string_view family = family_of(*finding);
        if (!finding->check.empty()) name += " (" + finding->check;
        if (!family.empty()) {
            name += finding->check.empty() ? " (" : ", ";
            name += family;
        }
        if (name.size() != finding->code.size()) name += ')';
        std::string& severity = out[name];
        if (severity != "error") severity = to_string(finding->severity);
    }
    return out;
}

Named likeliness_by_cause(const Report& report) {
    Named out;
    for (const report::Cause& cause : report.causes) {
        out.emplace(cause.code, report::is_likely(cause) ? "likely" : "possible");
    }
    return out;
}

}  // namespace

report::Changes compare(const Report& before, const Report& after) {
    report::Changes changes{before.run_id, report::timestamp(before.started), {}};
    if (before.verdict.status != after.verdict.status) {
        changes.list.push_back({"verdict", {}, before.verdict.status, after.verdict.status});
    }
    add_differences("cause", likeliness_by_cause(before), likeliness_by_cause(after), changes.list);
    add_differences("check", status_by_check(before), status_by_check(after), changes.list);
    add_differences("finding", severity_by_finding(before), severity_by_finding(after),
                    changes.list);
    return changes;
}

}  // namespace p2pdiag::diagnosis
