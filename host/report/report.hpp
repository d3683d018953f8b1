// The report model: what a run found, independent of how it is shown. format_version "1.0";
// docs/report.schema.json is its JSON form. Every format in this folder takes a Report and nothing
// else.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace p2pdiag::report {

inline constexpr std::string_view format_version = "1.0";

// The first six are said by the check itself, the last three by the host about it.
enum class Status { pass, warn, fail, skip, unknown, error, crashed, timed_out, cancelled };
std::string_view to_string(Status status);

enum class Severity { info, warning, error };
std::string_view to_string(Severity severity);
std::optional<Severity> parse_severity(std::string_view text);

struct Finding {
    std::string code;
    Severity severity = Severity::info;
    std::string check;  // id of the check that found it; empty when the host itself did
    std::string message;
    json::object evidence;
};

struct CheckResult {
    std::string id;
    std::string plugin;
    std::string title;
    Status status = Status::unknown;
    std::string summary;
    std::chrono::milliseconds duration{0};
    json::value data;  // null when the check handed over none
    std::vector<Finding> findings;
};

struct Remedy {
    std::string id;
    std::string title;
    std::string command;
    bool automatic = false;
    bool needs_root = false;
    bool reversible = false;
};

struct Cause {
    std::string code;
    double confidence = 0.0;  // 0 to 1
    std::string explanation;
    std::vector<std::string> findings;  // codes it stands on
    std::vector<Remedy> remedies;
};

struct Verdict {
    // open direct direct-after-fix relay-only offline unknown
    std::string status = "unknown";
    std::string headline;
};

struct PluginVersion {
    std::string name;
    std::string version;
};

struct Report {
    std::string tool_version;
    std::vector<PluginVersion> plugins;
    std::string run_id;
    std::chrono::system_clock::time_point started;
    std::chrono::milliseconds duration{0};
    std::string profile;
    std::uint16_t target_port = 0;
    bool interrupted =
        false;              // ended by a signal or the deadline of the run: what follows is partial
    json::value recording;  // what became of --capture; null when nobody asked
    Verdict verdict;
    std::vector<CheckResult> checks;     // in the order they were planned
    std::vector<Finding> host_findings;  // about plugins, not about the network
    std::vector<Cause> causes;           // most certain first
};

json::object to_json(const CheckResult& result);
json::object to_json(const Finding& finding);
json::object to_json(const Report& report);  // all of it, as docs/report.schema.json says

}  // namespace p2pdiag::report
