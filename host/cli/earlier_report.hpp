// Reports of earlier runs: to diagnose again, and to compare with.
#pragma once

#include <string>

#include "cli/commands.hpp"
#include "report/report.hpp"

namespace p2pdiag::cli {

// A file of --format json. UsageError, with `option` and the file, where it
// cannot be read or is no report.
report::Report read_earlier_report(const char* option, const std::string& path);

// `run --offline`: the exit code. Runs nothing and touches no network.
int run_offline(const Context& context, const RunArguments& arguments);

}  // namespace p2pdiag::cli
