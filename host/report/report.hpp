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
    std::optional<std::chrono::milliseconds> started;  // since the run began; none: it never was
    std::chrono::milliseconds duration{0};
    json::value data;  // null when the check handed over none
    std::vector<Finding> findings;
};

struct Remedy {
    std::string id;
    std::string title;
    std::string command;
    bool automatic = false;  // `verb` with `arguments` does it, and can be told to take it back
    bool needs_root = false;
    bool reversible = false;
    std::string verb{};         // of a plugin, with its command: "forward add"; empty = none
    json::object arguments{};   // options of that verb
    bool alone = false;         // what else helps depends on it, and is not asked for before
    bool works_around = false;  // what the cause breaks works again, though the cause stays
};

// Where on the way between this machine and its peers a cause lies.
enum class Place { you, firewall, router, carrier, internet, peer };
std::string_view to_string(Place place);

// What a cause keeps from working, the worst first: everything; direct connections; only that
// others call first; nothing, but it works badly; nothing yet.
enum class Impact { offline, no_direct, no_calls, quality, note };
std::string_view to_string(Impact impact);

// Above it a cause is likely, up to it possible.
inline constexpr double likely = 0.5;

struct Cause {
    std::string code;
    double confidence = 0.0;  // 0 to 1
    std::string explanation;
    std::vector<std::string> findings;  // codes it stands on
    std::vector<Remedy> remedies;
    std::string title;  // half a line
    Place place = Place::you;
    Impact impact = Impact::note;
    std::vector<std::string> settle;  // what would make it more certain, where a check could not
    std::string explained_by;         // code of another cause that this one follows from
};

// One thing that is different from an earlier report.
struct Change {
    std::string kind;    // verdict, check, finding or cause
    std::string what;    // id or code; empty for the verdict
    std::string before;  // empty = was not there
    std::string after;   // empty = is no longer there
};

struct Changes {
    std::string since_run;      // id of the earlier run
    std::string since_started;  // RFC 3339 in UTC
    std::vector<Change> list;
};

inline bool is_likely(const Cause& cause) { return cause.confidence > likely; }

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
    std::vector<Cause> causes;           // likely ones first, the worst of them at the front
    std::vector<Cause> explained;        // those that follow from one of `causes`
    std::optional<Changes> changes;      // where it was compared with an earlier report
};

json::object to_json(const CheckResult& result);
json::object to_json(const Finding& finding);
json::object to_json(const Report& report);  // all of it, as docs/report.schema.json says

}  // namespace p2pdiag::report
