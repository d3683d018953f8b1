// What is written while a run lasts: progress on the terminal, and with jsonl each result as it
// comes.
#pragma once

#include "cli/context.hpp"
#include "cli/terminal.hpp"
#include "report/report.hpp"
#include "runner/runner.hpp"

namespace p2pdiag::cli {

class Live {
public:
    // With `stream` the lines of jsonl go to stdout. `context` must outlive it.
    Live(const Context& context, bool stream, const report::Report& report);

    runner::Events events();

    // Before anything else is written to the terminal.
    void clear() { progress_.clear(); }

    // Nothing of the run is left on the terminal. With jsonl the rest of the report. False when
    // nobody reads stdout any more.
    bool end(const report::Report& report);

private:
    std::string new_host_findings(const report::Report& report);
    void finish(const report::CheckResult& result);
    void log(const runner::LogLine& line);

    const Context& context_;
    bool stream_;
    std::size_t printed_findings_ = 0;
    ProgressLine progress_;
};

}  // namespace p2pdiag::cli
