#include "change/children.hpp"

#include <list>

#include "child/group.hpp"
#include "child/serve.hpp"

namespace p2pdiag::change {

namespace {

// What a call that is kept up for weeks may hand over in all.
constexpr std::size_t unbounded_call_bytes = 64 << 20;

class Batch {
public:
    explicit Batch(std::vector<Call> calls) {
        for (Call& call : calls) entries_.emplace_back(std::move(call), *this);
    }

    void start() {
        for (Entry& entry : entries_) start(entry);
    }

    void run(int interrupt_fd, const std::function<int()>& interrupts) {
        group_.watch(interrupt_fd);
        group_.run([&] { heed(interrupts()); });
    }

    std::vector<report::CheckResult> results() {
        std::vector<report::CheckResult> all;
        for (Entry& entry : entries_) all.push_back(std::move(entry.result));
        return all;
    }

private:
    struct Entry {
        Call call;
        runner::Collector collector;
        TimePoint started{};
        report::CheckResult result{};

        Entry(Call&& made, Batch& batch)
            : call(std::move(made)),
              collector({call.plugin->id, call.change->id, call.change->title, "change"},
                        batch.listeners(call)) {}
    };

    runner::Listeners listeners(const Call& call) {
        runner::Listeners all = call.listeners;
        all.on_data = [this, on_data = call.on_data](const json::object& data) {
            if (on_data && !on_data(data)) group_.cancel();
        };
        return all;
    }

    void start(Entry& entry) {
        entry.started = Clock::now();
        child::Command command;
        std::int64_t deadline_ns = 0;
        if (entry.call.deadline.count() > 0) {
            command.deadline = entry.started + entry.call.deadline;
            deadline_ns = std::chrono::nanoseconds(command.deadline->time_since_epoch()).count();
        } else {
            command.total_bytes = unbounded_call_bytes;
        }
        command.arguments = {std::string(child::change_word), entry.call.plugin->file.native(),
                             entry.call.change->id, entry.call.function,
                             std::to_string(deadline_ns)};
        command.input = json::to_text(entry.call.input);
        command.acknowledge = true;
        group_.start(
            std::move(command), [&entry](std::string_view line) { entry.collector.take(line); },
            [this, &entry](const child::Exit& exit) { finish(entry, exit); });
    }

    void finish(Entry& entry, const child::Exit& exit) {
        const auto took = std::chrono::duration_cast<Milliseconds>(Clock::now() - entry.started);
        entry.result = entry.collector.finish(exit, took);
        one_ended_ = true;
        group_.cancel();
    }

    void heed(int interrupts) {
        if (interrupts > 1 && stage_ < 2) {
            stage_ = 2;
            group_.kill_all();
        } else if (interrupts == 1 && stage_ == 0 && !entries_.front().call.patient) {
            stage_ = 1;
            group_.cancel();
        } else if (one_ended_) {
            group_.cancel();
        }
    }

    std::list<Entry> entries_;
    child::Group group_;
    bool one_ended_ = false;
    int stage_ = 0;  // 0 running, 1 asked to stop, 2 killed
};

}  // namespace

std::vector<report::CheckResult> Children::run(std::vector<Call> calls) {
    if (calls.empty()) return {};
    Batch batch(std::move(calls));
    batch.start();
    batch.run(interrupt_fd_, [this] { return interrupts(); });
    return batch.results();
}

}  // namespace p2pdiag::change
