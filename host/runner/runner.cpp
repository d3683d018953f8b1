#include "runner/runner.hpp"

#include <algorithm>

#include "child/serve.hpp"

namespace p2pdiag::runner {

namespace {

constexpr Milliseconds tick{100};
// A child takes four descriptors, of which a process has 1024 by default.
constexpr std::ptrdiff_t most_at_once = 64;

std::int64_t to_nanoseconds(TimePoint time) {
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

}  // namespace

struct Runner::Entry {
    enum class State { waiting, running, done };

    const loader::Plugin* plugin = nullptr;
    const loader::Check* check = nullptr;
    State state = State::waiting;
    TimePoint started;
    std::unique_ptr<Collector> collector;
    report::CheckResult result;
};

Runner::Runner(const loader::Plugins& plugins, const Plan& plan, Settings settings, Events events)
    : plugins_(plugins), settings_(std::move(settings)), events_(std::move(events)) {
    for (const std::string& id : plan.order) {
        auto entry = std::make_unique<Entry>();
        entry->plugin = plugins_.owner_of(id);
        entry->check = plugins_.find_check(id);
        entry->collector = std::make_unique<Collector>(
            Subject{entry->plugin->id, entry->check->id, entry->check->title},
            Listeners{.on_progress = events_.on_progress,
                      .on_log = events_.on_log,
                      .on_flow = events_.on_flow});
        entries_.push_back(std::move(entry));
    }
}

Runner::~Runner() = default;

std::vector<report::CheckResult> Runner::run(int interrupt_fd, std::function<int()> interrupts) {
    deadline_ = Clock::now() + settings_.deadline;
    interrupts_ = std::move(interrupts);
    interrupt_fd_ = interrupt_fd;
    group_.watch(interrupt_fd);
    start_ready();
    if (events_.on_begun) events_.on_begun();
    group_.run([this] { on_wakeup(); }, tick);

    std::vector<report::CheckResult> results;
    for (const auto& entry : entries_) {
        if (entry->state == Entry::State::waiting) {
            const child::Exit never{.how = child::Exit::How::cancelled};
            entry->result = entry->collector->finish(never, Milliseconds(0));
            entry->result.summary = "not started: the run ended before its turn";
            if (events_.on_finish) events_.on_finish(entry->result);
        }
        results.push_back(std::move(entry->result));
    }
    return results;
}

void Runner::on_wakeup() {
    const int wanted = interrupts_ ? std::min(interrupts_(), 2) : 0;
    const bool late = Clock::now() >= deadline_;
    if (stage_ == 0 && (wanted > 0 || late)) {
        stage_ = 1;
        ended_ = wanted > 0 ? Ended::interrupted : Ended::deadline;
        group_.cancel();
    }
    if (stage_ == 1 && wanted > 1) {
        stage_ = 2;
        group_.kill_all();
    }
    if (events_.on_tick) events_.on_tick();
}

const Runner::Entry* Runner::entry_of(const std::string& id) const {
    for (const auto& entry : entries_) {
        if (entry->check->id == id) return entry.get();
    }
    return nullptr;
}

bool Runner::is_ready(const Entry& entry) const {
    const auto& needs = entry.check->needs;
    return std::all_of(needs.begin(), needs.end(), [&](const std::string& need) {
        const Entry* needed = entry_of(need);
        return needed == nullptr || needed->state == Entry::State::done;
    });
}

void Runner::start_ready() {
    for (const auto& entry : entries_) {
        // Without isolation nothing else looks at signals and the deadline between two checks.
        if (settings_.isolation == Isolation::none) on_wakeup();
        const auto running = std::ranges::count_if(
            entries_, [](const auto& one) { return one->state == Entry::State::running; });
        if (stage_ != 0 || running >= most_at_once) return;
        if (entry->state == Entry::State::waiting && is_ready(*entry)) start(*entry);
    }
}

void Runner::start(Entry& entry) {
    entry.state = Entry::State::running;
    entry.started = Clock::now();
    if (events_.on_start) events_.on_start(*entry.check);
    const Milliseconds own =
        entry.check->deadline.count() > 0 ? entry.check->deadline : default_check_deadline;
    const TimePoint deadline = std::min(entry.started + own, deadline_);
    if (settings_.isolation == Isolation::none) {
        run_here(entry, deadline);
    } else {
        start_child(entry, deadline);
    }
}

void Runner::start_child(Entry& entry, TimePoint deadline) {
    child::Command command;
    command.arguments = {std::string(child::check_word), entry.plugin->file.native(),
                         entry.check->id, std::to_string(to_nanoseconds(deadline))};
    command.input = input_for(entry);
    // The run's own deadline is not the check's fault: it is cancelled then, see on_wakeup.
    if (deadline < deadline_) command.deadline = deadline;
    group_.start(
        std::move(command), [&entry](std::string_view line) { entry.collector->take(line); },
        [this, &entry](const child::Exit& exit) { finish(entry, exit); });
}

void Runner::run_here(Entry& entry, TimePoint deadline) {
    const int status = child::run_check(
        entry.plugin->file, entry.check->id, input_for(entry), interrupt_fd_,
        to_nanoseconds(deadline), [&entry](std::string_view line) { entry.collector->take(line); });
    entry.collector->take(child::returned_line(status));
    on_wakeup();
    finish(entry, std::nullopt);
}

void Runner::finish(Entry& entry, const std::optional<child::Exit>& exit) {
    const auto took = std::chrono::duration_cast<Milliseconds>(Clock::now() - entry.started);
    entry.result = entry.collector->finish(exit, took);
    const TimePoint began = deadline_ - settings_.deadline;
    entry.result.started = std::chrono::duration_cast<Milliseconds>(entry.started - began);
    entry.state = Entry::State::done;
    if (events_.on_finish) events_.on_finish(entry.result);
    start_ready();
}

std::string Runner::input_for(const Entry& entry) const {
    json::object input = settings_.input;
    const auto options = settings_.options.find(entry.plugin->id);
    input["options"] = options == settings_.options.end() ? json::object() : options->second;
    const auto changes = settings_.changes.find(entry.plugin->id);
    input["changes"] = changes == settings_.changes.end() ? json::array() : changes->second;
    json::object needs;
    for (const std::string& need : entry.check->needs) {
        const Entry* needed = entry_of(need);
        const bool there = needed != nullptr && needed->state == Entry::State::done;
        needs[need] = there ? json::object{{"status", report::to_string(needed->result.status)},
                                           {"data", needed->result.data}}
                            : json::object{{"status", "skip"}, {"data", nullptr}};
    }
    input["needs"] = std::move(needs);
    return json::to_text(input);
}

}  // namespace p2pdiag::runner
