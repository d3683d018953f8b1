#include "report/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/utf8.hpp"
#include "report/report_json.hpp"

namespace p2pdiag::report {
namespace {

json::value text(std::string_view raw) { return json::value(to_valid_utf8(raw)); }

// What came through the parser is valid already; what the host put in, a file name say, may not be.
json::value valid(const json::value& raw) {
    if (raw.is_string()) return text(raw.get_string());
    if (const json::array* elements = raw.if_array()) {
        json::array out;
        for (const json::value& element : *elements) out.push_back(valid(element));
        return out;
    }
    if (const json::object* members = raw.if_object()) {
        json::object out;
        for (const auto& member : *members) {
            out[to_valid_utf8(member.key())] = valid(member.value());
        }
        return out;
    }
    return raw;
}

json::array texts(const std::vector<std::string>& raw) {
    json::array out;
    for (const std::string& one : raw) out.push_back(text(one));
    return out;
}

json::value text_or_null(const std::string& raw) { return raw.empty() ? json::value() : text(raw); }

json::object to_json(const Remedy& remedy) {
    return {{"id", text(remedy.id)},
            {"title", text(remedy.title)},
            {"command", text(remedy.command)},
            {"automatic", remedy.automatic},
            {"needs_root", remedy.needs_root},
            {"reversible", remedy.reversible},
            {"alone", remedy.alone},
            {"works_around", remedy.works_around},
            {"verb", text_or_null(remedy.verb)},
            {"arguments", valid(remedy.arguments)}};
}

}  // namespace

std::string_view to_string(Status status) {
    switch (status) {
        case Status::pass: return "pass";
        case Status::warn: return "warn";
        case Status::fail: return "fail";
        case Status::skip: return "skip";
        case Status::unknown: return "unknown";
        case Status::error: return "error";
        case Status::crashed: return "crashed";
        case Status::timed_out: return "timed_out";
        case Status::cancelled: break;
    }
    return "cancelled";
}

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::info: return "info";
        case Severity::warning: return "warning";
        case Severity::error: break;
    }
    return "error";
}

std::optional<Severity> parse_severity(std::string_view text) {
    for (const Severity severity : {Severity::info, Severity::warning, Severity::error}) {
        if (text == to_string(severity)) return severity;
    }
    return std::nullopt;
}

std::string_view to_string(Place place) {
    switch (place) {
        case Place::you: return "you";
        case Place::firewall: return "firewall";
        case Place::router: return "router";
        case Place::carrier: return "carrier";
        case Place::internet: return "internet";
        case Place::peer: break;
    }
    return "peer";
}

std::string_view to_string(Impact impact) {
    switch (impact) {
        case Impact::offline: return "offline";
        case Impact::no_direct: return "no-direct";
        case Impact::no_calls: return "no-calls";
        case Impact::quality: return "quality";
        case Impact::note: break;
    }
    return "note";
}

// RFC 3339 §5.6, in UTC, with milliseconds.
std::string timestamp(std::chrono::system_clock::time_point time) {
    const auto since = time.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(since - seconds);
    const auto whole = static_cast<std::time_t>(seconds.count());
    std::tm parts{};
    if (::gmtime_r(&whole, &parts) == nullptr) return "1970-01-01T00:00:00.000Z";
    char date[32];
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    char fraction[16];
    std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(milliseconds.count()));
    return std::string(date) + fraction;
}

json::object to_json(const CheckResult& result) {
    return {{"id", text(result.id)},
            {"plugin", text(result.plugin)},
            {"title", text(result.title)},
            {"status", text(to_string(result.status))},
            {"summary", text(result.summary)},
            {"started_ms", result.started ? json::value(result.started->count()) : json::value()},
            {"duration_ms", static_cast<std::int64_t>(result.duration.count())},
            {"data", valid(result.data)}};
}

json::object to_json(const Finding& finding) {
    return {{"code", text(finding.code)},
            {"severity", text(to_string(finding.severity))},
            {"check", finding.check.empty() ? json::value() : text(finding.check)},
            {"message", text(finding.message)},
            {"evidence", valid(finding.evidence)}};
}

json::object to_json(const Cause& cause) {
    json::array remedies;
    for (const Remedy& remedy : cause.remedies) remedies.push_back(to_json(remedy));
    const double confidence =
        std::isfinite(cause.confidence) ? std::clamp(cause.confidence, 0.0, 1.0) : 0.0;
    return {{"code", text(cause.code)},
            {"confidence", confidence},
            {"explanation", text(cause.explanation)},
            {"findings", texts(cause.findings)},
            {"remedies", std::move(remedies)},
            {"title", text(cause.title)},
            {"place", text(to_string(cause.place))},
            {"impact", text(to_string(cause.impact))},
            {"settle", texts(cause.settle)},
            {"explained_by", text_or_null(cause.explained_by)}};
}

json::object to_json(const Changes& changes) {
    json::array list;
    for (const Change& change : changes.list) {
        list.push_back(json::object{{"kind", text(change.kind)},
                                    {"what", text_or_null(change.what)},
                                    {"before", text_or_null(change.before)},
                                    {"after", text_or_null(change.after)}});
    }
    return {{"since_run", text(changes.since_run)},
            {"since_started", text(changes.since_started)},
            {"list", std::move(list)}};
}

json::object to_json(const Verdict& verdict) {
    return {{"status", text(verdict.status)}, {"headline", text(verdict.headline)}};
}

json::object tool_json(const Report& report) {
    json::array plugins;
    for (const PluginVersion& plugin : report.plugins) {
        plugins.push_back(
            json::object{{"name", text(plugin.name)}, {"version", text(plugin.version)}});
    }
    return {{"name", "p2pdiag"},
            {"version", text(report.tool_version)},
            {"plugins", std::move(plugins)}};
}

json::object run_json(const Report& report) {
    return {{"id", text(report.run_id)},
            {"started", timestamp(report.started)},
            {"profile", text(report.profile)},
            {"target", json::object{{"port", report.target_port}}}};
}

json::value recording_json(const Report& report) { return valid(report.recording); }

json::object to_json(const Report& report) {
    json::object run = run_json(report);
    run["duration_ms"] = static_cast<std::int64_t>(report.duration.count());
    run["interrupted"] = report.interrupted;
    if (!report.recording.is_null()) run["recording"] = recording_json(report);
    json::array checks;
    json::array findings;
    json::array causes;
    for (const CheckResult& check : report.checks) checks.push_back(to_json(check));
    for (const Finding* finding : all_findings(report)) findings.push_back(to_json(*finding));
    json::array explained;
    for (const Cause& cause : report.causes) causes.push_back(to_json(cause));
    for (const Cause& cause : report.explained) explained.push_back(to_json(cause));
    json::object document{{"format_version", json::value(format_version)},
                          {"tool", tool_json(report)},
                          {"run", std::move(run)},
                          {"verdict", to_json(report.verdict)},
                          {"checks", std::move(checks)},
                          {"findings", std::move(findings)},
                          {"causes", std::move(causes)},
                          {"explained", std::move(explained)}};
    if (report.changes) document["changes"] = to_json(*report.changes);
    return document;
}

std::vector<const Finding*> all_findings(const Report& report) {
    std::vector<const Finding*> all;
    for (const Finding& finding : report.host_findings) all.push_back(&finding);
    for (const CheckResult& check : report.checks) {
        for (const Finding& finding : check.findings) all.push_back(&finding);
    }
    return all;
}

}  // namespace p2pdiag::report
