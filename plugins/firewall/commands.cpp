#include "commands.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace p2pdiag::firewall {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_error = 4096;

std::optional<std::string> find_program(const std::string& name) {
    const char* own = std::getenv("PATH");
    const std::string path = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:" +
                             std::string(own == nullptr ? "" : own);
    for (std::string_view rest = path; !rest.empty();) {
        const std::string_view directory = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
        // A relative one would be wherever the user happens to be.
        if (!directory.starts_with('/')) continue;
        std::string file = std::string(directory) + '/' + name;
        if (::access(file.c_str(), X_OK) == 0) return file;
    }
    return std::nullopt;
}

// A child and the two pipes that it writes to.
class Child {
public:
    bool start(const std::string& program, const std::vector<std::string>& argv) {
        Pipe out = make_pipe();
        Pipe err = make_pipe();
        if (!out.read.open() || !err.read.open()) return false;
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
        std::vector<char*> words;
        for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
        words.push_back(nullptr);
        // What is printed is read by a program.
        std::array<std::string, 2> variables = {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
        char* environment[] = {variables[0].data(), variables[1].data(), nullptr};
        const int failed =
            ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, words.data(), environment);
        ::posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) pid_ = -1;
        out_ = std::move(out.read);
        err_ = std::move(err.read);
        return failed == 0;
    }

    Answer::Kind read(Answer& answer, Clock::time_point deadline, int cancel_fd) {
        while (out_.open() || err_.open()) {
            pollfd fds[] = {
                {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {cancel_fd, POLLIN, 0}};
            const int ready = ::poll(fds, 3, wait_ms(deadline));
            if (ready < 0 && errno == EINTR) continue;
            if (ready > 0 && fds[2].revents != 0) return Answer::Kind::interrupted;
            if (ready <= 0) return Answer::Kind::late;
            if (fds[0].revents != 0 && !take(out_, answer.output, max_answer)) {
                return Answer::Kind::large;
            }
            if (fds[1].revents != 0) take(err_, answer.error, max_error);
        }
        return Answer::Kind::ended;
    }

    // Waits for its end, which `kill` makes sure of.
    int finish(bool kill) {
        if (pid_ < 0) return -1;
        if (kill) ::kill(pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
        pid_ = -1;
        return status;
    }

private:
    static int wait_ms(Clock::time_point deadline) {
        if (deadline == Clock::time_point::max()) return -1;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    }

    // False when there is more than `most`; what is beyond is read and thrown away.
    static bool take(Fd& fd, std::string& text, std::size_t most) {
        std::array<char, 65536> chunk;
        const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) return true;
        if (count <= 0) {
            fd.reset();
            return true;
        }
        const std::size_t size = static_cast<std::size_t>(count);
        text.append(chunk.data(), std::min(size, most - std::min(most, text.size())));
        return text.size() < most;
    }

    pid_t pid_ = -1;
    Fd out_;
    Fd err_;
};

}  // namespace

bool is_denied(const Answer& answer) {
    if (answer.kind != Answer::Kind::ended) return false;
    return answer.error.find("ermission denied") != std::string::npos ||
           answer.error.find("not permitted") != std::string::npos;
}

std::string why_failed(const std::string& program, const Answer& answer) {
    switch (answer.kind) {
        case Answer::Kind::missing: return "the program " + program + " is not installed";
        case Answer::Kind::failed: return program + " could not be run";
        case Answer::Kind::late: return program + " did not answer in time";
        case Answer::Kind::interrupted: return program + " was interrupted";
        case Answer::Kind::large: return program + " printed more than can be read";
        case Answer::Kind::ended: break;
    }
    const std::string said = printable(answer.error.substr(0, answer.error.find('\n')));
    return program + " failed" + (said.empty() ? "" : ": " + said);
}

Answer run_command(const std::vector<std::string>& argv, Clock::time_point deadline,
                   int cancel_fd) {
    Answer answer;
    const auto program = find_program(argv.front());
    if (!program) {
        answer.kind = Answer::Kind::missing;
        return answer;
    }
    Child child;
    if (!child.start(*program, argv)) return answer;
    answer.kind = child.read(answer, deadline, cancel_fd);
    const int status = child.finish(answer.kind != Answer::Kind::ended);
    if (answer.kind != Answer::Kind::ended) return answer;
    if (WIFEXITED(status)) {
        answer.exit_code = WEXITSTATUS(status);
    } else {
        answer.kind = Answer::Kind::failed;
    }
    return answer;
}

}  // namespace p2pdiag::firewall
