// Runs a plan: each check in a child of its own as soon as the checks it needs are done, all within
// a deadline, and with whatever is known when it is interrupted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "child/group.hpp"
#include "loader/loader.hpp"
#include "report/report.hpp"
#include "runner/collector.hpp"
#include "runner/plan.hpp"

namespace p2pdiag::runner {

// For a check that names no deadline of its own.
inline constexpr Milliseconds default_check_deadline{15000};

enum class Isolation { child, none };

struct Settings {
    Isolation isolation = Isolation::child;
    json::object input;  // what every check gets: target, servers, connection, deep
    std::map<std::string, json::object> options;  // per plugin id: its profile section
    std::map<std::string, json::array> changes;   // per plugin id: what of it is in place
    Milliseconds deadline{20000};                 // of the whole run
};

struct Events {
    // Once, when those checks run that wait for no other: the time for work that no check needs.
    std::function<void()> on_begun;
    std::function<void(const loader::Check&)> on_start;
    std::function<void(const report::CheckResult&)> on_finish;
    std::function<void(const Progress&)> on_progress;
    std::function<void(const LogLine&)> on_log;
    std::function<void(const FlowLine&)> on_flow;
    std::function<void()> on_tick;  // at least every 100 ms while children run
};

enum class Ended { complete, deadline, interrupted };

class Runner {
public:
    // `plugins` and `plan` must outlive the runner.
    Runner(const loader::Plugins& plugins, const Plan& plan, Settings settings, Events events);
    ~Runner();

    // Results in the order of the plan, one for each check in it, however the run ends. While it
    // runs, interrupt_fd (-1 = none) is watched and `interrupts` asked how often the person wants
    // to stop: the first time checks are asked to end, the second time they are killed.
    std::vector<report::CheckResult> run(int interrupt_fd, std::function<int()> interrupts);

    Ended ended() const { return ended_; }

private:
    struct Entry;

    void start_ready();
    bool is_ready(const Entry& entry) const;
    void start(Entry& entry);
    void start_child(Entry& entry, TimePoint deadline);
    void run_here(Entry& entry, TimePoint deadline);
    void finish(Entry& entry, const std::optional<child::Exit>& exit);
    void on_wakeup();
    std::string input_for(const Entry& entry) const;
    const Entry* entry_of(const std::string& id) const;

    const loader::Plugins& plugins_;
    Settings settings_;
    Events events_;
    std::vector<std::unique_ptr<Entry>> entries_;
    child::Group group_;
    TimePoint deadline_;
    int interrupt_fd_ = -1;
    std::function<int()> interrupts_;
    int stage_ = 0;  // 0 running, 1 asked to stop, 2 killed
    Ended ended_ = Ended::complete;
};

}  // namespace p2pdiag::runner
