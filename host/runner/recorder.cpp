#include "runner/recorder.hpp"

#include <chrono>
#include <utility>

#include "child/serve.hpp"

namespace p2pdiag::runner {

namespace {

constexpr Milliseconds look_again{100};
// All checks of a run together; what comes after is not told.
constexpr std::size_t most_noted_bytes = 16 << 20;

std::int64_t wall_clock_ns() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace

Recorder::Recorder(const loader::Plugin& plugin, const loader::Recorder& recorder, int file,
                   OnLog on_log)
    : plugin_(plugin),
      recorder_(recorder),
      file_(file),
      collector_(Subject{plugin.id, recorder.id, recorder.title, "recorder"},
                 Listeners{.on_progress = [this](const Progress&) { recording_ = true; },
                           .on_log = std::move(on_log)}) {}

void Recorder::start(json::object input, const std::function<bool()>& interrupted) {
    started_ = Clock::now();
    notes_ = memory_file("").above_childs_table();
    if (!notes_.open()) {
        ended_ = true;
        exit_ = {.how = child::Exit::How::not_started, .value = errno};
        return;
    }
    input["notes"] = child::first_extra_fd;
    input["file"] = child::first_extra_fd + 1;
    child::Command command;
    command.arguments = {std::string(child::record_word), plugin_.file.native(), recorder_.id};
    command.input = json::to_text(input);
    command.extra = {notes_.get(), file_};
    group_.start(
        std::move(command), [this](std::string_view line) { collector_.take(line); },
        [this](const child::Exit& exit) {
            ended_ = true;
            exit_ = exit;
        });
    const TimePoint latest = started_ + recorder_start;
    group_.run_until([&] { return recording_ || Clock::now() >= latest || interrupted(); },
                     look_again);
}

void Recorder::note(json::object line) {
    line["time_ns"] = wall_clock_ns();
    const std::string text = json::to_text(line) + '\n';
    if (!notes_.open() || noted_bytes_ + text.size() > most_noted_bytes) return;
    noted_bytes_ += text.size();
    write_all(notes_.get(), text);
}

void Recorder::note_started(std::string_view check) {
    note({{"type", "started"}, {"check", json::value(check)}});
}

void Recorder::note_finished(std::string_view check) {
    note({{"type", "finished"}, {"check", json::value(check)}});
}

void Recorder::note_flow(const FlowLine& line) {
    json::object flow = line.flow;
    flow["check"] = line.check;
    note(std::move(flow));
}

report::CheckResult Recorder::finish(const std::function<bool()>& give_up) {
    group_.finish(recorder_grace);
    group_.run(
        [&] {
            if (give_up()) group_.kill_all();
        },
        look_again);
    return collector_.finish(exit_,
                             std::chrono::duration_cast<Milliseconds>(Clock::now() - started_));
}

void Recorder::discard() {
    group_.kill_all();
    group_.run();
}

}  // namespace p2pdiag::runner
