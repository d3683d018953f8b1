#include "cli/live.hpp"

#include "cli/log.hpp"
#include "report/jsonl.hpp"

namespace p2pdiag::cli {

Live::Live(const Context& context, bool stream, const report::Report& report)
    : context_(context), stream_(stream), progress_(context.environment) {
    if (!stream_) return;
    std::string lines = report::jsonl_run(report);
    print(lines + new_host_findings(report));
}

runner::Events Live::events() {
    runner::Events events;
    events.on_start = [this](const loader::Check& check) { progress_.start(check.id); };
    events.on_finish = [this](const report::CheckResult& result) { finish(result); };
    events.on_progress = [this](const runner::Progress& said) {
        progress_.note(said.check, said.fraction, said.text);
    };
    events.on_log = [this](const runner::LogLine& line) { log(line); };
    events.on_tick = [this] { progress_.draw(); };
    return events;
}

// Nothing of the run is left on the terminal. With jsonl the rest of the report.
bool Live::end(const report::Report& report) {
    progress_.clear();
    if (!stream_) return true;
    return print_or_complain(new_host_findings(report) + report::jsonl_diagnosis(report) +
                             report::jsonl_end(report));
}

// Those that are not printed yet.
std::string Live::new_host_findings(const report::Report& report) {
    std::string lines;
    for (; printed_findings_ < report.host_findings.size(); ++printed_findings_) {
        lines += report::jsonl_finding(report.host_findings[printed_findings_]);
    }
    return lines;
}

void Live::finish(const report::CheckResult& result) {
    progress_.finish(result.id);
    if (!stream_) return;
    std::string lines = report::jsonl_check(result);
    for (const report::Finding& finding : result.findings) lines += report::jsonl_finding(finding);
    print(lines);
}

void Live::log(const runner::LogLine& line) {
    if (!is_shown(line.level)) return;
    progress_.clear();
    pass_on(line.check, line.level, line.text);
}

}  // namespace p2pdiag::cli
