#include "helper_process.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/utf8.hpp"

extern char** environ;

namespace p2pdiag::capture_plugin {

namespace fs = std::filesystem;

namespace {

// From being asked to end to having written its last packet: it only has to notice.
constexpr std::chrono::seconds time_to_end{3};
constexpr int exit_not_permitted = 3;
constexpr std::size_t most_message_bytes = 16 * 1024;

std::string read_from_begin(const Fd& file) {
    std::string text(most_message_bytes, '\0');
    const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

// INTERFACE, tab, kind, tab, words.
std::vector<HelperProblem> parse_problems(std::string_view text) {
    std::vector<HelperProblem> problems;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t first = line.find('\t');
        const std::size_t second = first == line.npos ? first : line.find('\t', first + 1);
        if (second == line.npos) {
            problems.push_back({"-", "failed", to_valid_utf8(line)});
        } else {
            problems.push_back({to_valid_utf8(line.substr(0, first)),
                                to_valid_utf8(line.substr(first + 1, second - first - 1)),
                                to_valid_utf8(line.substr(second + 1))});
        }
    }
    return problems;
}

}  // namespace

fs::path helper_path() {
    // The host is <prefix>/bin/p2pdiag, and a plugin runs in a child of its own executable.
    std::error_code error;
    const fs::path host = fs::read_symlink("/proc/self/exe", error);
    return host.parent_path().parent_path() / P2PDIAG_LIBEXECDIR / "p2pdiag" / "p2pdiag-capture";
}

std::string command_to_allow(const fs::path& helper) {
    std::string path;
    for (const char c : helper.native())
        path += c == '\'' ? std::string("'\\''") : std::string(1, c);
    const bool plain = path.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789/._-+") == path.npos;
    return "sudo setcap cap_net_raw+ep " + (plain ? path : "'" + path + "'");
}

bool HelperResult::not_permitted() const { return exit_code == exit_not_permitted; }

std::string HelperResult::why() const {
    if (problems.empty()) {
        return exit_code < 0 ? "the capture program was killed"
                             : "the capture program ended with code " + std::to_string(exit_code);
    }
    const HelperProblem& first = problems.front();
    return (first.interface == "-" ? "" : first.interface + ": ") + first.text;
}

std::unique_ptr<HelperProcess> HelperProcess::start(const std::vector<std::string>& arguments) {
    std::unique_ptr<HelperProcess> self(new HelperProcess);
    Pipe control = make_pipe();
    Pipe output = make_pipe();
    self->messages_ = memory_file("").above_childs_table();
    if (!control.write.open() || !output.write.open() || !self->messages_.open()) return nullptr;

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, control.read.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output.write.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, self->messages_.get(), STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

    std::string program = helper_path().native();
    std::vector<std::string> words = arguments;
    std::vector<char*> argv{program.data()};
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int failed =
        ::posix_spawn(&self->pid_, program.c_str(), &actions, &attributes, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
        self->pid_ = -1;
        errno = failed;
        return nullptr;
    }
    self->control_ = std::move(control.write);
    self->output_ = std::move(output.read);
    return self;
}

std::unique_ptr<HelperProcess> HelperProcess::start(const HelperOrder& order) {
    std::vector<std::string> arguments{"--snaplen", std::to_string(order.snap_length), "--filter",
                                       order.filter};
    if (order.lenient) arguments.insert(arguments.begin(), "--lenient");
    arguments.insert(arguments.end(), order.interfaces.begin(), order.interfaces.end());
    return start(arguments);
}

HelperProcess::~HelperProcess() { kill(); }

void HelperProcess::kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

class HelperProcess::Output final : public capture::Input {
public:
    Output(HelperProcess& process, int stop_fd, TimePoint until)
        : process_(process), stop_fd_(stop_fd), until_(until) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        for (;;) {
            const TimePoint now = Clock::now();
            if (now >= until_) {
                // Asked already, and still there.
                if (!process_.control_.open()) return std::size_t{0};
                ask_to_end(now);
            }
            pollfd polled[] = {{process_.output_.get(), POLLIN, 0},
                               {process_.control_.open() ? stop_fd_ : -1, POLLIN, 0}};
            if (::poll(polled, 2, wait_milliseconds(now)) < 0 && errno != EINTR)
                return std::size_t{0};
            if (polled[1].revents != 0) ask_to_end(now);
            if (polled[0].revents == 0) continue;
            const ssize_t got = ::read(process_.output_.get(), into.data(), into.size());
            if (got < 0 && errno == EINTR) continue;
            return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
        }
    }

private:
    void ask_to_end(TimePoint now) {
        process_.control_.reset();
        until_ = now + time_to_end;
    }

    int wait_milliseconds(TimePoint now) const {
        if (until_ == TimePoint::max()) return -1;
        const auto left = std::chrono::ceil<Milliseconds>(until_ - now).count();
        return static_cast<int>(std::clamp<long>(left, 0, 60'000));
    }

    HelperProcess& process_;
    int stop_fd_;
    TimePoint until_;
};

std::unique_ptr<capture::Input> HelperProcess::packets(int stop_fd, TimePoint until) {
    return std::make_unique<Output>(*this, stop_fd, until);
}

HelperResult HelperProcess::result() {
    control_.reset();
    HelperResult result;
    if (const Fd ended = open_pidfd(pid_); ended.open()) {
        pollfd polled{ended.get(), POLLIN, 0};
        ::poll(&polled, 1, static_cast<int>(Milliseconds(time_to_end).count()));
    }
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    } else {
        kill();
    }
    result.problems = parse_problems(read_from_begin(messages_));
    return result;
}

std::optional<HelperResult> probe(const std::vector<std::string>& interfaces) {
    std::vector<std::string> arguments{"--probe"};
    arguments.insert(arguments.end(), interfaces.begin(), interfaces.end());
    const auto process = HelperProcess::start(arguments);
    if (!process) return std::nullopt;
    const auto output = process->packets(-1, Clock::now() + time_to_end);
    std::string text;
    std::array<std::uint8_t, 1024> buffer;
    while (text.size() < most_message_bytes) {
        const auto got = output->read(buffer);
        if (!got || *got == 0) break;
        text += as_text(ByteView(buffer).first(*got));
    }
    HelperResult result = process->result();
    result.output = std::move(text);
    return result;
}

}  // namespace p2pdiag::capture_plugin
