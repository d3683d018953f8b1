// What every run of checks needs, whichever command starts it: the plan, what checks get, and the
// report it begins with.
#pragma once

#include "cli/context.hpp"
#include "cli/signals.hpp"
#include "report/report.hpp"
#include "runner/runner.hpp"

namespace p2pdiag::cli {

// What is to be measured, and how.
struct Measurement {
    const Context& context;
    profile::Profile profile;
    runner::Plan plan;
    runner::Isolation isolation = runner::Isolation::child;
};

// As profile_request(), of a profile whose choice of checks matters.
profile::Request measuring_request(const Context& context);

// What the profile chooses, with the checks of `typed` in place of its own where there are some,
// and what `typed` skips beside its own. Throws UsageError when nothing is left to run, or no check
// is meant.
runner::Plan plan_checks(const Context& context, const profile::Profile& profile,
                         const runner::Selection& typed);

runner::Settings settings_for(const Measurement& measurement);

// All that is known before the first check: also the plugins and checks that cannot be used.
report::Report empty_report(const Measurement& measurement);

// Runs the checks into `report`, which is not diagnosed.
runner::Ended run_checks(const Measurement& measurement, runner::Settings settings,
                         runner::Events events, SignalWatch& signals, report::Report& report);

}  // namespace p2pdiag::cli
