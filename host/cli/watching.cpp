#include "cli/watching.hpp"

#include <poll.h>

#include "report/changes.hpp"
#include "report/report_json.hpp"

namespace p2pdiag::cli {

namespace {

constexpr std::int64_t shortest_pause_ms = 1000;
constexpr std::int64_t longest_pause_ms = 24LL * 3600 * 1000;

}  // namespace

std::optional<Milliseconds> pause_between_runs(const RunArguments& arguments) {
    if (arguments.watch.empty()) return std::nullopt;
    const auto parsed = options::parse_duration(arguments.watch);
    if (!parsed) throw UsageError{"--watch: " + parsed.error().why};
    if (*parsed < shortest_pause_ms || *parsed > longest_pause_ms) {
        throw UsageError{"--watch: " + arguments.watch + " is not from 1s to 24h"};
    }
    if (!arguments.capture.empty()) throw UsageError{"--capture does not go with --watch"};
    if (arguments.format != "console" && arguments.format != "jsonl") {
        throw UsageError{"--watch prints as console or jsonl, not as " + arguments.format +
                         "; --output " + arguments.format + "=PATH writes a file after each run"};
    }
    return Milliseconds(*parsed);
}

bool wait_for_signal(SignalWatch& signals, Milliseconds pause) {
    const TimePoint until = Clock::now() + pause;
    while (signals.count() == 0) {
        const auto left = std::chrono::duration_cast<Milliseconds>(until - Clock::now());
        if (left <= Milliseconds(0)) return false;
        pollfd waiting{signals.fd(), POLLIN, 0};
        ::poll(&waiting, 1, static_cast<int>(left.count()) + 1);
    }
    return true;
}

std::string changes_since_last_run(const report::Report& report) {
    std::string out = report::timestamp(report.started);
    const bool changed = report.changes && !report.changes->list.empty();
    if (!changed) return out + " no change\n";
    out += '\n';
    for (const std::string& line : report::change_lines(*report.changes)) out += "  " + line + '\n';
    return out;
}

}  // namespace p2pdiag::cli
