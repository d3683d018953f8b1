#include "child/group.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/fd.hpp"

extern char** environ;

namespace p2pdiag::child {

namespace {

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

struct SpawnSetup {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    SpawnSetup() {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawnattr_init(&attributes);
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    ~SpawnSetup() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;

    void give(int fd, int as) { ::posix_spawn_file_actions_adddup2(&actions, fd, as); }
    void give(const Fd& fd, int as) { give(fd.get(), as); }
};

}  // namespace

struct Group::Child {
    pid_t pid = -1;
    Fd pid_fd;
    Fd results;
    Fd output;
    Fd cancel;       // write end: closing it is the request to stop
    Fd acknowledge;  // write end; nothing when lines are not acknowledged
    std::size_t total_bytes = max_total_bytes;
    std::optional<TimePoint> kill_at;
    Exit::How killed_for = Exit::How::exited;
    bool kill_is_cancel = false;
    bool killed = false;
    bool reaped = false;  // its id may be somebody else's by now
    std::size_t received = 0;
    std::string line;
    std::string kept_output;
    OnLine on_line;
    OnExit on_exit;
};

std::string to_string(const Exit& exit) {
    switch (exit.how) {
        case Exit::How::exited: return "exited with code " + std::to_string(exit.value);
        case Exit::How::signalled: {
            const char* name = ::sigabbrev_np(exit.value);
            return std::string("was killed by SIG") + (name != nullptr ? name : "?") + " (" +
                   ::strsignal(exit.value) + ')';
        }
        case Exit::How::timed_out: return "ran past its deadline";
        case Exit::How::flooded: return "handed over more than it may (4 MiB, 1 MiB a message)";
        case Exit::How::cancelled: return "was cancelled";
        case Exit::How::not_started: break;
    }
    return std::string("could not be started: ") + std::strerror(exit.value);
}

Group::Group() = default;

Group::~Group() {
    for (Child& child : children_) {
        ::kill(-child.pid, SIGKILL);
        ::waitpid(child.pid, nullptr, 0);
    }
}

void Group::start(Command command, OnLine on_line, OnExit on_exit) {
    const Fd input = memory_file(command.input).above_childs_table();
    Pipe results = make_pipe();
    Pipe output = make_pipe();
    Pipe cancel = make_pipe();
    Pipe acknowledge = command.acknowledge ? make_pipe() : Pipe();
    if (!input.open() || !results.write.open() || !output.write.open() || !cancel.write.open() ||
        (command.acknowledge && !acknowledge.write.open())) {
        return on_exit({.how = Exit::How::not_started, .value = errno});
    }
    SpawnSetup setup;
    setup.give(output.write, STDOUT_FILENO);
    setup.give(output.write, STDERR_FILENO);
    setup.give(results.write, result_fd);
    setup.give(input, input_fd);
    setup.give(cancel.read, cancel_fd);
    if (command.acknowledge) setup.give(acknowledge.read, acknowledge_fd);
    int as = first_extra_fd;
    for (const int fd : command.extra) setup.give(fd, as++);

    std::string program = "p2pdiag";
    std::vector<char*> argv{program.data()};
    for (std::string& argument : command.arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    Child child;
    const int failed = ::posix_spawn(&child.pid, "/proc/self/exe", &setup.actions,
                                     &setup.attributes, argv.data(), environ);
    if (failed != 0) return on_exit({.how = Exit::How::not_started, .value = failed});
    child.pid_fd = open_pidfd(child.pid);
    if (!child.pid_fd.open()) {
        // Nobody would notice its end.
        const int problem = errno;
        ::kill(-child.pid, SIGKILL);
        ::waitpid(child.pid, nullptr, 0);
        return on_exit({.how = Exit::How::not_started, .value = problem});
    }
    child.results = std::move(results.read);
    child.output = std::move(output.read);
    child.cancel = std::move(cancel.write);
    child.acknowledge = std::move(acknowledge.write);
    // A child that does not read them must not hold us up.
    if (command.acknowledge) set_nonblocking(child.acknowledge.get());
    child.total_bytes = command.total_bytes;
    set_nonblocking(child.results.get());
    set_nonblocking(child.output.get());
    if (command.deadline) child.kill_at = *command.deadline + deadline_grace;
    child.on_line = std::move(on_line);
    child.on_exit = std::move(on_exit);
    children_.push_back(std::move(child));
}

void Group::run(const std::function<void()>& on_wakeup, Milliseconds tick) {
    while (!children_.empty()) {
        wait_once(tick);
        if (on_wakeup) on_wakeup();
    }
}

void Group::run_until(const std::function<bool()>& enough, Milliseconds tick) {
    while (!children_.empty() && !enough()) wait_once(tick);
}

void Group::look() {
    if (!children_.empty()) wait_once(Milliseconds(0));
}

void Group::wait_once(Milliseconds tick) {
    std::vector<pollfd> polled;
    for (const Child& child : children_) {
        polled.push_back({child.results.get(), POLLIN, 0});
        polled.push_back({child.output.get(), POLLIN, 0});
        polled.push_back({child.pid_fd.get(), POLLIN, 0});
    }
    polled.push_back({watched_fd_, POLLIN, 0});
    ::poll(polled.data(), polled.size(), wait_milliseconds(Clock::now(), tick));

    // Children that callbacks start are appended, and are polled in the next round.
    const std::size_t count = (polled.size() - 1) / 3;
    auto child = children_.begin();
    for (std::size_t i = 0; i < count; ++i) {
        if (polled[3 * i].revents != 0) pump_results(*child);
        if (polled[3 * i + 1].revents != 0) pump_output(*child);
        // Who ended in time is in time, however late this is noticed.
        if (polled[3 * i + 2].revents != 0 && reap(*child)) {
            child = children_.erase(child);
        } else {
            enforce_deadline(*child, Clock::now());
            ++child;
        }
    }
}

int Group::wait_milliseconds(TimePoint now, Milliseconds tick) const {
    TimePoint wake = now + tick;
    for (const Child& child : children_) {
        if (child.kill_at && !child.killed) wake = std::min(wake, *child.kill_at);
    }
    const auto wait = std::chrono::ceil<Milliseconds>(wake - now).count();
    return static_cast<int>(std::clamp<long>(wait, 0, tick.count()));
}

void Group::pump_results(Child& child) {
    std::array<char, 16384> buffer;
    for (;;) {
        const ssize_t got = ::read(child.results.get(), buffer.data(), buffer.size());
        if (got <= 0) {
            // End of file: nobody holds the other end. A poll on it would only spin.
            if (got == 0) child.results.reset();
            return;
        }
        child.received += static_cast<std::size_t>(got);
        std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
        for (std::size_t end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
            child.line += rest.substr(0, end);
            rest.remove_prefix(end + 1);
            if (child.line.size() > max_message_bytes) return flooded(child);
            child.on_line(child.line);
            child.line.clear();
            if (child.acknowledge.open()) write_all(child.acknowledge.get(), "\n");
        }
        child.line += rest;
        if (child.received > child.total_bytes || child.line.size() > max_message_bytes) {
            return flooded(child);
        }
    }
}

// Nothing more is read: whoever else still writes there must not keep us busy.
void Group::flooded(Child& child) {
    child.results.reset();
    kill(child, Exit::How::flooded);
}

void Group::pump_output(Child& child) {
    std::array<char, 16384> buffer;
    // Bounded: a child that prints without end must not keep the others waiting.
    for (int rounds = 0; rounds < 16; ++rounds) {
        const ssize_t got = ::read(child.output.get(), buffer.data(), buffer.size());
        if (got <= 0) {
            if (got == 0) child.output.reset();
            return;
        }
        child.kept_output.append(buffer.data(), static_cast<std::size_t>(got));
        if (child.kept_output.size() > kept_output_bytes) {
            child.kept_output.erase(0, child.kept_output.size() - kept_output_bytes);
        }
    }
}

void Group::enforce_deadline(Child& child, TimePoint now) {
    if (!child.kill_at || child.killed || now < *child.kill_at) return;
    kill(child, child.kill_is_cancel ? Exit::How::cancelled : Exit::How::timed_out);
}

void Group::kill(Child& child, Exit::How why) {
    if (child.killed) return;
    child.killed = true;
    child.killed_for = why;
    if (!child.reaped) ::kill(-child.pid, SIGKILL);
}

bool Group::reap(Child& child) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
        return false;
    }
    // What it left running goes with it, before its id can be given to somebody else.
    ::kill(-child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    child.reaped = true;
    if (child.results.open()) pump_results(child);
    if (child.output.open()) pump_output(child);

    Exit exit;
    exit.value = info.si_status;
    exit.output = std::move(child.kept_output);
    exit.killed = child.killed;
    if (child.killed) {
        exit.how = child.killed_for;
    } else if (child.kill_is_cancel) {
        exit.how = Exit::How::cancelled;
    } else if (info.si_code != CLD_EXITED) {
        exit.how = Exit::How::signalled;
    }
    const OnExit on_exit = std::move(child.on_exit);
    on_exit(exit);
    return true;
}

void Group::ask_to_end(Child& child, Milliseconds grace) {
    child.cancel.reset();
    child.kill_at = std::min(child.kill_at.value_or(TimePoint::max()), Clock::now() + grace);
}

void Group::cancel(Milliseconds grace) {
    for (Child& child : children_) {
        ask_to_end(child, grace);
        child.kill_is_cancel = true;
    }
}

void Group::finish(Milliseconds grace) {
    for (Child& child : children_) ask_to_end(child, grace);
}

void Group::kill_all() {
    for (Child& child : children_) kill(child, Exit::How::cancelled);
}

}  // namespace p2pdiag::child
