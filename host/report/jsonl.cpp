#include "report/jsonl.hpp"

#include "report/report_json.hpp"

namespace p2pdiag::report {
namespace {

std::string line(std::string_view type, const json::object& members) {
    json::object out = {{"type", json::value(type)}};
    for (const auto& member : members) out.insert(member);
    return json::to_text(json::value(std::move(out))) + '\n';
}

}  // namespace

std::string jsonl_run(const Report& report) {
    return line("run", {{"format_version", json::value(format_version)},
                        {"tool", tool_json(report)},
                        {"run", run_json(report)}});
}

std::string jsonl_check(const CheckResult& result) { return line("check", to_json(result)); }

std::string jsonl_finding(const Finding& finding) { return line("finding", to_json(finding)); }

std::string jsonl_cause(const Cause& cause) { return line("cause", to_json(cause)); }

std::string jsonl_diagnosis(const Report& report) {
    std::string out;
    for (const Cause& cause : report.causes) out += jsonl_cause(cause);
    for (const Cause& cause : report.explained) out += line("explained", to_json(cause));
    if (report.changes) out += line("changes", to_json(*report.changes));
    return out + jsonl_verdict(report.verdict);
}

std::string jsonl_verdict(const Verdict& verdict) { return line("verdict", to_json(verdict)); }

std::string jsonl_end(const Report& report) {
    json::object counts;
    for (const CheckResult& check : report.checks) {
        json::value& count = counts[to_string(check.status)];
        count = count.is_null() ? 1 : count.get_int64() + 1;
    }
    json::object members{{"duration_ms", static_cast<std::int64_t>(report.duration.count())},
                         {"interrupted", report.interrupted},
                         {"checks", std::move(counts)}};
    if (!report.recording.is_null()) members["recording"] = recording_json(report);
    return line("end", members);
}

std::string jsonl(const Report& report, const RenderOptions&) {
    std::string out = jsonl_run(report);
    for (const Finding& finding : report.host_findings) out += jsonl_finding(finding);
    for (const CheckResult& check : report.checks) {
        out += jsonl_check(check);
        for (const Finding& finding : check.findings) out += jsonl_finding(finding);
    }
    return out + jsonl_diagnosis(report) + jsonl_end(report);
}

}  // namespace p2pdiag::report
