// Turns what a check hands over, line by line, and the way it ended into its result.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "child/group.hpp"
#include "loader/loader.hpp"
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

class Collector {
public:
    using OnProgress = std::function<void(const Progress&)>;
    using OnLog = std::function<void(const LogLine&)>;

    Collector(const loader::Plugin& plugin, const loader::Check& check, OnProgress on_progress,
              OnLog on_log);

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

    report::CheckResult result_;
    std::optional<report::Status> said_;
    std::string misbehaved_;  // why its lines cannot be trusted
    OnProgress on_progress_;
    OnLog on_log_;
};

}  // namespace p2pdiag::runner
