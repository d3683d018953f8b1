// A result per finding, and one per check that has none of its own. "kind" tells what was found
// good (pass) from what could not be told (open) and what does not apply (SARIF §3.27.9); a check
// that itself went wrong is a notification of the run (§3.20.21) and no result.
#include "report/sarif.hpp"

#include <algorithm>
#include <map>

#include "report/report_json.hpp"

namespace p2pdiag::report {
namespace {

json::object sarif_message(const json::value& text) { return {{"text", text}}; }

std::string_view sarif_level(Severity severity) {
    switch (severity) {
        case Severity::error: return "error";
        case Severity::warning: return "warning";
        case Severity::info: break;
    }
    return "none";
}

bool went_wrong_itself(Status status) {
    return status == Status::error || status == Status::crashed || status == Status::timed_out;
}

class SarifRun {
public:
    explicit SarifRun(const Report& report) : report_(report) {}

    json::object document() {
        for (const Finding& finding : report_.host_findings) notify(finding);
        for (const CheckResult& check : report_.checks) add(check);
        return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                {"version", "2.1.0"},
                {"runs", json::array{run()}}};
    }

private:
    // The index of a rule, which is made where it is new.
    std::size_t rule(const json::value& id, const json::value& description,
                     const std::string& help) {
        const std::string name(id.as_string());
        const auto [known, fresh] = indices_.emplace(name, rules_.size());
        if (fresh) {
            rules_.push_back(json::object{{"id", id},
                                          {"shortDescription", sarif_message(description)},
                                          {"help", sarif_message(json::value(help))}});
        }
        return known->second;
    }

    void add_result(const json::value& id, std::size_t rule_index, std::string_view kind,
                    std::string_view level, const json::value& message, const json::value& check,
                    json::object properties, std::string_view family) {
        // The same from run to run, so that a finding can be told from a new one.
        std::string fingerprint(id.as_string());
        if (check.is_string()) fingerprint += '|' + std::string(check.get_string());
        if (!family.empty()) fingerprint += '|' + std::string(family);
        json::object result{
            {"ruleId", id},
            {"ruleIndex", rule_index},
            {"kind", json::value(kind)},
            {"level", json::value(level)},
            {"message", sarif_message(message)},
            {"partialFingerprints", json::object{{"p2pdiag/v1", json::value(fingerprint)}}},
            {"properties", std::move(properties)}};
        if (check.is_string()) {
            result["locations"] = json::array{json::object{
                {"logicalLocations",
                 json::array{json::object{{"fullyQualifiedName", check}, {"kind", "check"}}}}}};
        }
        results_.push_back(std::move(result));
    }

    void add(const CheckResult& check) {
        bool told = false;
        for (const Finding& finding : check.findings) {
            add(finding);
            told = told || finding.severity != Severity::info;
        }
        const json::object written = to_json(check);
        if (went_wrong_itself(check.status) || check.status == Status::cancelled) {
            notifications_.push_back(json::object{
                {"level", check.status == Status::cancelled ? "warning" : "error"},
                {"descriptor", json::object{{"id", written.at("id")}}},
                {"message",
                 sarif_message(json::value(std::string(to_string(check.status)) + ": " +
                                           std::string(written.at("summary").as_string())))}});
            return;
        }
        if (told && (check.status == Status::warn || check.status == Status::fail)) return;
        const std::size_t index = rule(written.at("id"), written.at("title"),
                                       "p2pdiag describe CHECK says what a check measures.");
        const auto [kind, level] = kind_of(check.status);
        add_result(written.at("id"), index, kind, level, written.at("summary"), written.at("id"),
                   {{"status", written.at("status")}, {"duration_ms", written.at("duration_ms")}},
                   {});
    }

    // §3.27.10: what is no failure has the level "none".
    static std::pair<std::string_view, std::string_view> kind_of(Status status) {
        switch (status) {
            case Status::pass: return {"pass", "none"};
            case Status::warn: return {"fail", "warning"};
            case Status::fail: return {"fail", "error"};
            case Status::skip: return {"notApplicable", "none"};
            case Status::unknown:
            case Status::error:
            case Status::crashed:
            case Status::timed_out:
            case Status::cancelled: break;
        }
        return {"open", "none"};
    }

    void add(const Finding& finding) {
        const json::object written = to_json(finding);
        const std::size_t index = rule(written.at("code"), written.at("code"),
                                       "p2pdiag explain CODE says what a code means.");
        add_result(written.at("code"), index,
                   finding.severity == Severity::info ? "informational" : "fail",
                   sarif_level(finding.severity), written.at("message"), written.at("check"),
                   {{"evidence", written.at("evidence")}},
                   json::find_string(finding.evidence, "family").value_or(""));
    }

    void notify(const Finding& finding) {
        const json::object written = to_json(finding);
        notifications_.push_back(
            json::object{{"level", finding.severity == Severity::info
                                       ? "note"
                                       : json::value(sarif_level(finding.severity))},
                         {"descriptor", json::object{{"id", written.at("code")}}},
                         {"message", sarif_message(written.at("message"))}});
    }

    json::object run() {
        const bool host_error = std::ranges::any_of(report_.host_findings, [](const auto& finding) {
            return finding.severity == Severity::error;
        });
        const bool whole =
            !report_.interrupted && !host_error &&
            std::ranges::none_of(report_.checks, went_wrong_itself, &CheckResult::status);
        const json::object tool = tool_json(report_);
        json::array causes;
        for (const Cause& cause : report_.causes) causes.push_back(to_json(cause));
        return {{"tool", json::object{{"driver", json::object{{"name", tool.at("name")},
                                                              {"version", tool.at("version")},
                                                              {"rules", std::move(rules_)}}}}},
                {"invocations", json::array{json::object{
                                    {"executionSuccessful", whole},
                                    {"startTimeUtc", timestamp(report_.started)},
                                    {"toolExecutionNotifications", std::move(notifications_)}}}},
                {"results", std::move(results_)},
                {"properties", json::object{{"verdict", to_json(report_.verdict)},
                                            {"causes", std::move(causes)},
                                            {"run", run_json(report_)},
                                            {"plugins", tool.at("plugins")}}}};
    }

    const Report& report_;
    std::map<std::string, std::size_t> indices_;
    json::array rules_;
    json::array results_;
    json::array notifications_;
};

}  // namespace

std::string sarif(const Report& report, const RenderOptions&) {
    return json::to_pretty_text(json::value(SarifRun(report).document()));
}

}  // namespace p2pdiag::report
