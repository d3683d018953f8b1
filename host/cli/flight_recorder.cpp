#include "cli/flight_recorder.hpp"

#include "cli/log.hpp"
#include "cli/signals.hpp"

namespace p2pdiag::cli {

namespace {

// What went over the wire is nobody else's business.
constexpr mode_t owner_alone = 0600;

struct Offered {
    const loader::Plugin& plugin;
    const loader::Recorder& recorder;
};

Offered find_recorder(const Context& context) {
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        if (!plugin.recorders.empty()) return {plugin, plugin.recorders.front()};
    }
    throw UsageError{"--capture: no plugin that is loaded can record" + refused_plugins(context)};
}

}  // namespace

FlightRecorder::FlightRecorder(const Context& context, const std::string& path)
    : path_(path), file_(path, owner_alone) {
    const Offered offer = find_recorder(context);
    const bool verbose = context.globals.verbose;
    recorder_ = std::make_unique<runner::Recorder>(offer.plugin, offer.recorder, file_.descriptor(),
                                                   [this, verbose](const runner::LogLine& line) {
                                                       if (!verbose && line.level != "error")
                                                           return;
                                                       if (before_log_) before_log_();
                                                       complain(line.check + ": " + line.text);
                                                   });
}

void FlightRecorder::start(json::object input, SignalWatch& signals) {
    recorder_->start(std::move(input), [&signals] { return signals.count() > 0; });
}

void FlightRecorder::listen(runner::Events& events, std::function<void()> before_log) {
    before_log_ = std::move(before_log);
    events.on_tick = [this, before = std::move(events.on_tick)] {
        recorder_->look();
        if (before) before();
    };
    events.on_flow = [this](const runner::FlowLine& line) { recorder_->note_flow(line); };
    events.on_start = [this, before = std::move(events.on_start)](const loader::Check& check) {
        recorder_->note_started(check.id);
        if (before) before(check);
    };
    events.on_finish = [this,
                        before = std::move(events.on_finish)](const report::CheckResult& result) {
        recorder_->note_finished(result.id);
        if (before) before(result);
    };
}

void FlightRecorder::finish(bool keep, SignalWatch& signals, report::Report& report) {
    if (!keep && recorder_->recording()) {
        recorder_->discard();
        report.recording = json::object{{"file", nullptr}, {"reason", "not-wanted"}};
        return;
    }
    // The first wish to end gets the file all the same; the second does not wait for it, also when
    // it came while the checks were still ending.
    take(recorder_->finish([&signals] { return signals.count() > 1; }), report);
}

void FlightRecorder::take(report::CheckResult result, report::Report& report) {
    const bool whole =
        result.status == report::Status::pass || result.status == report::Status::warn;
    const std::string problem = whole ? file_.move_into_place() : std::string();
    const bool kept = whole && problem.empty();
    missing_ = !kept && result.status != report::Status::skip;
    report.recording = json::object{
        {"file", kept ? json::value(path_) : json::value(nullptr)},
        {"reason", kept ? json::value(nullptr) : json::value(report::to_string(result.status))},
        {"summary", result.summary},
        {"data", std::move(result.data)}};
    for (report::Finding& finding : result.findings) {
        finding.check.clear();
        report.host_findings.push_back(std::move(finding));
    }
    if (!problem.empty()) {
        complain(problem);
    } else {
        complain((kept ? "recorded: " : "nothing was recorded: ") + result.summary);
    }
}

}  // namespace p2pdiag::cli
