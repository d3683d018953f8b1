// The command `capture analyze`.
#pragma once

#include "analysis.hpp"
#include "capture/reader.hpp"
#include "output.hpp"

namespace p2pdiag::capture_plugin {

// The options of every command that shows a result; exits with 2 and a word on stderr are the
// caller's.
struct AnalysisOptions {
    Filter filter;
    Output output;
    Severity threshold = Severity::error;
};
// Nothing, with `problem` set, where an option is not right.
std::optional<AnalysisOptions> read_options(const json::object& options, std::string& problem);

// Everything that is in the file; what the reader could not use stands in the remarks, and as a
// finding where it may have changed the outcome.
Outcome analyze(capture::Reader& reader, const Filter& filter);

// The same for whoever reads packets from elsewhere: adds what `totals` say to a finished result.
void add_totals(Outcome& result, const capture::Totals& totals);

int analyze_command(Run& run, const json::object& options);

}  // namespace p2pdiag::capture_plugin
