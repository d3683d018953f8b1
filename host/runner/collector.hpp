// Turns what a check hands over, line by line, and the way it ended into its result.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "child/group.hpp"
#include "report/report.hpp"

namespace p2pdiag::runner {

// What a check says while it runs, for people who watch.
struct Progress {
    std::string check;
    double fraction = 0;  // 0 to 1
    std::string text;
};
struct LogLine {
    std::string check;
    std::string level;
    std::string text;
};

// Packets that belong to a check, as it says itself (abi.h, "flow").
struct FlowLine {
    std::string check;
    json::object flow;
};

// Whose lines they are.
struct Subject {
    std::string plugin;
    std::string id;
    std::string title;
    std::string kind = "check";  // as messages about it name it
};

// Told at once what the result holds only in the end, and what it does not hold.
struct Listeners {
    std::function<void(const Progress&)> on_progress = {};
    std::function<void(const LogLine&)> on_log = {};
    std::function<void(const FlowLine&)> on_flow = {};
    std::function<void(const json::object&)> on_data = {};
    std::function<void(const std::string&)> on_summary = {};
};

class Collector {
public:
    Collector(Subject subject, Listeners listeners);

    // One line of the check. A line that is not what abi.h allows makes the result an error; what
    // came before it stands.
    void take(std::string_view line);

    // No line comes after this. `exit` is how the check's process ended, or nothing when it ran in
    // this process.
    report::CheckResult finish(const std::optional<child::Exit>& exit, Milliseconds duration);

private:
    bool take_message(const json::object& message);
    bool take_finding(const json::object& message);
    bool take_status(const json::object& message);
    void add_host_finding(std::string_view code, const std::string& what,
                          const std::string& output);

    std::string kind_;
    report::CheckResult result_;
    std::optional<report::Status> said_;
    std::string misbehaved_;  // why its lines cannot be trusted
    Listeners listeners_;
};

}  // namespace p2pdiag::runner
