#include "change/json.hpp"

namespace p2pdiag::change {

json::value to_json(const std::optional<report::CheckResult>& said) {
    if (!said) return nullptr;
    json::array findings;
    for (const report::Finding& finding : said->findings) {
        findings.push_back(report::to_json(finding));
    }
    return json::object{{"status", report::to_string(said->status)},
                        {"summary", json::text_or_null(said->summary)},
                        {"findings", std::move(findings)},
                        {"data", said->data}};
}

json::object to_json(const Step& step) {
    return {{"id", nullptr},
            {"title", step.title},
            {"undo", step.undo},
            {"match", step.match},
            {"state", "not-begun"}};
}

json::object to_json(const StepResult& step) {
    return {{"id", json::text_or_null(step.record.id)},
            {"title", step.record.title},
            {"undo", step.record.undo},
            {"match", step.record.match},
            {"state", step.begun() ? json::value(to_string(step.record.state)) : "not-begun"},
            {"apply", to_json(step.apply)},
            {"verify", to_json(step.verify)},
            {"keep", to_json(step.keep)},
            {"revert", to_json(step.revert)},
            {"error", json::text_or_null(step.problem.empty() ? step.record.error : step.problem)}};
}

json::object to_json(const Undone& undone) {
    json::object out = summary_json(undone.record, std::nullopt);
    out["held_by"] = undone.holder > 0 ? json::value(undone.holder) : json::value();
    out["outcome"] = to_string(undone.outcome);
    out["revert"] = to_json(undone.said);
    out["error"] = json::text_or_null(undone.problem);
    return out;
}

json::object summary_json(const Record& record, std::optional<pid_t> holder) {
    return {{"id", record.id},
            {"group", record.group},
            {"change", record.change},
            {"plugin", record.plugin},
            {"title", record.title},
            {"undo", record.undo},
            {"match", record.match},
            {"state", to_string(record.state)},
            {"created", record.created},
            {"updated", record.updated},
            {"verify", record.verify},
            {"held_by", holder ? json::value(*holder) : json::value()},
            {"error", json::text_or_null(record.error)}};
}

}  // namespace p2pdiag::change
