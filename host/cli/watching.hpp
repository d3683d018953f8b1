// `run --watch`: the parts of running again and again.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "cli/commands.hpp"
#include "cli/signals.hpp"
#include "report/report.hpp"

namespace p2pdiag::cli {

// From the end of a run to the start of the next one; nothing without --watch. UsageError where it
// is no time from a second to a day, or something does not go with it.
std::optional<Milliseconds> pause_between_runs(const RunArguments& arguments);

// True when a signal came before `pause` was over.
bool wait_for_signal(SignalWatch& signals, Milliseconds pause);

// A line that says when, and one for each change.
std::string changes_since_last_run(const report::Report& report);

}  // namespace p2pdiag::cli
