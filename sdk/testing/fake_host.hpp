// A host for unit tests of a plugin: calls a check, a verb or a change's function in this process and keeps what it hands over.
#pragma once

#include <p2pdiag/plugin.hpp>
#include <unistd.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace p2pdiag::testing {

class FakeHost {
public:
    FakeHost() {
        if (::pipe(cancel_) != 0) std::terminate();
        table_.struct_size = sizeof table_;
        table_.abi_minor = P2PDIAG_ABI_MINOR;
        table_.context = this;
        table_.cancel_fd = cancel_[0];
        table_.deadline_ns = 0;
        table_.emit = [](const p2pdiag_host* host, p2pdiag_str json) {
            auto* self = static_cast<FakeHost*>(host->context);
            const std::lock_guard lock(self->mutex_);
            self->emitted_.emplace_back(view(json));
        };
        table_.extension = [](const p2pdiag_host*, p2pdiag_str) -> const void* { return nullptr; };
    }
    ~FakeHost() {
        ::close(cancel_[0]);
        if (cancel_[1] >= 0) ::close(cancel_[1]);
    }
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    // What the host does on Ctrl-C. Any thread.
    void cancel() { ::close(std::exchange(cancel_[1], -1)); }

    void set_deadline(std::chrono::steady_clock::time_point deadline) {
        table_.deadline_ns = std::chrono::nanoseconds(deadline.time_since_epoch()).count();
    }

    p2pdiag_status run(const p2pdiag_check& check, std::string_view input = "{}") {
        return static_cast<p2pdiag_status>(check.run(&table_, {input.data(), input.size()}));
    }
    // One function of a change, as in run(forward.apply, …).
    p2pdiag_status run(int32_t (*function)(const p2pdiag_host*, p2pdiag_str),
                       std::string_view input = "{}") {
        return static_cast<p2pdiag_status>(function(&table_, {input.data(), input.size()}));
    }
    int run(const p2pdiag_verb& verb, std::string_view arguments = "{}") {
        return verb.run(&table_, {arguments.data(), arguments.size()});
    }

    // Every message so far, one JSON object each, in the order they came.
    std::vector<std::string> emitted() const {
        const std::lock_guard lock(mutex_);
        return emitted_;
    }

private:
    p2pdiag_host table_{};
    int cancel_[2] = {-1, -1};
    mutable std::mutex mutex_;
    std::vector<std::string> emitted_;
};

}  // namespace p2pdiag::testing
