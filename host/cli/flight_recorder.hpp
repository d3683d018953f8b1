// `run --capture FILE`: what goes over the wire during a run, kept in a file, by the recorder that
// a plugin offers.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/context.hpp"
#include "cli/output_file.hpp"
#include "runner/recorder.hpp"
#include "runner/runner.hpp"

namespace p2pdiag::cli {

class SignalWatch;

class FlightRecorder {
public:
    // Throws UsageError when the file cannot be written, or no plugin can record.
    FlightRecorder(const Context& context, const std::string& path);

    // Before the first check. `input` is what every check gets, with "checks" and "plugins" added:
    // see docs/plugin-author/reference.md.
    void start(json::object input, SignalWatch& signals);

    // What the recorder is told of the run; the events of others are called as before. What it
    // says itself is printed after a call of `before_log`.
    void listen(runner::Events& events, std::function<void()> before_log);

    // After the last check. With `keep` false nothing is left.
    void finish(bool keep, SignalWatch& signals, report::Report& report);
    // Whether there is no file though there should be one: it went wrong, or was not waited for.
    bool missing() const { return missing_; }

private:
    void take(report::CheckResult result, report::Report& report);

    std::string path_;
    OutputFile file_;
    std::unique_ptr<runner::Recorder> recorder_;
    std::function<void()> before_log_;
    bool missing_ = false;
};

}  // namespace p2pdiag::cli
