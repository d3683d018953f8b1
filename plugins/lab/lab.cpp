#include "lab.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include "base/json.hpp"
#include "check.hpp"
#include "isolation.hpp"
#include "options.hpp"
#include "programs.hpp"
#include "setup.hpp"
#include "topology.hpp"

namespace p2pdiag::lab {
namespace {

// Everything that is known before the first namespace is made.
struct Job {
    Topology topology;
    std::string on;
    std::vector<std::string> argv;
    Group group = Group::callers;
};

int complain(const Problem& problem) {
    std::cout.flush();
    std::cerr << "lab: " << problem.message;
    if (!problem.message.ends_with('\n')) std::cerr << '\n';
    return problem.exit_code;
}

std::vector<std::string> strings(const json::object& object, std::string_view key) {
    std::vector<std::string> texts;
    if (const json::array* list = json::find_array(object, key)) {
        for (const json::value& item : *list) {
            if (item.is_string()) texts.emplace_back(item.as_string());
        }
    }
    return texts;
}

bool names_profile(const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
        if (argument == "--profile" || argument.starts_with("--profile=")) return true;
    }
    return false;
}

Outcome<std::vector<std::string>> command_line(const std::string& command, const Options& options,
                                               const json::object& arguments) {
    if (command == "shell") {
        const char* shell = std::getenv("SHELL");
        return std::vector<std::string>{shell != nullptr && *shell != '\0' ? shell : "/bin/sh"};
    }
    std::vector<std::string> rest = strings(arguments, "rest");
    if (rest.empty()) {
        return Problem{exit_usage, "nothing to run: lab run --nat KIND -- ARGUMENTS"};
    }
    if (options.command) return rest;

    const json::object* host = json::find_object(arguments, "host");
    const auto executable = host != nullptr ? json::find_string(*host, "executable") : std::nullopt;
    if (!executable) return Problem{exit_failed, "the host does not say where it is"};
    std::vector<std::string> argv{std::string(*executable)};
    for (std::string& argument : strings(*host, "arguments")) argv.push_back(std::move(argument));
    if (!names_profile(rest)) argv.insert(argv.end(), {"--profile", "lab"});
    argv.insert(argv.end(), rest.begin(), rest.end());
    return argv;
}

// A firewall of more is no firewall.
constexpr std::uintmax_t ruleset_limit = 1 << 20;

Outcome<Ruleset> read_ruleset(const std::string& path) {
    const std::string title = "--host-firewall " + path;
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        if (!error) return Problem{exit_usage, title + ": is no regular file"};
        return Problem{exit_usage, title + ": " + error.message()};
    }
    if (std::filesystem::file_size(path, error) > ruleset_limit) {
        return Problem{exit_usage, title + ": is bigger than 1 MiB"};
    }
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) return Problem{exit_usage, title + ": cannot be read"};
    return Ruleset{title, text.str(), exit_usage};
}

Outcome<Job> plan(const std::string& command, const json::object& arguments) {
    const json::object none;
    const json::object* given = json::find_object(arguments, "options");
    const Outcome<Options> options = parse_options(given != nullptr ? *given : none);
    if (!options) return options.error();
    Outcome<std::vector<std::string>> argv = command_line(command, *options, arguments);
    if (!argv) return argv.error();

    Job job{build_topology(*options), options->on, *std::move(argv),
            command == "shell" ? Group::own : Group::callers};
    if (job.topology.find(job.on) == nullptr) {
        return Problem{exit_usage, "--on " + job.on + ": this lab has no such host, but " +
                                       job.topology.host_names()};
    }
    if (!options->host_firewall.empty()) {
        Outcome<Ruleset> firewall = read_ruleset(options->host_firewall);
        if (!firewall) return firewall.error();
        for (Host& host : job.topology.hosts) {
            // First, since the file may flush what is there.
            if (host.name == "client") host.rulesets.insert(host.rulesets.begin(), *firewall);
        }
    }
    if (const std::optional<std::string> missing = missing_programs(job.topology)) {
        return Problem{exit_unavailable, "cannot run here, " + *missing};
    }
    return job;
}

// Ctrl-C while the lab was still being built.
bool interrupted() {
    sigset_t pending;
    ::sigpending(&pending);
    return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGQUIT) == 1;
}

// How long a command may take to end after SIGTERM.
constexpr std::chrono::seconds termination_grace{5};

// Without it the lab is another network than the one that was asked for.
void tell_end_of(const LiveDaemon& daemon, int status) {
    std::cerr << "lab: " << daemon.who << " ended while the command ran, "
              << (WIFEXITED(status) ? "with code " + std::to_string(WEXITSTATUS(status))
                                    : "by signal " + std::to_string(WTERMSIG(status)))
              << ": " << daemon.last_lines() << '\n';
}

// Process 1 reaps whatever ends, until it is the command. What then still runs ends with the PID
// namespace.
std::optional<int> reap(pid_t command, const std::vector<LiveDaemon>& daemons) {
    std::optional<int> code;
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid == command) {
            code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        for (const LiveDaemon& daemon : daemons) {
            if (daemon.pid == pid) tell_end_of(daemon, status);
        }
    }
    return code;
}

// Returns when the command has ended, or when it was told to and did not.
int supervise(pid_t command, const std::vector<LiveDaemon>& daemons, int child_signals,
              int stop_fd) {
    using Clock = std::chrono::steady_clock;
    std::array<pollfd, 2> watched{{{child_signals, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
    Clock::time_point deadline = Clock::time_point::max();
    while (Clock::now() < deadline) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        const bool patient = deadline == Clock::time_point::max();
        const int timeout = patient ? -1 : static_cast<int>(left.count());
        if (::poll(watched.data(), watched.size(), timeout) <= 0) continue;
        if (watched[1].revents != 0) {
            ::kill(command, SIGTERM);
            watched[1] = {-1, 0, 0};
            deadline = Clock::now() + termination_grace;
        }
        if (watched[0].revents == 0) continue;
        signalfd_siginfo drained;
        [[maybe_unused]] const ssize_t size = ::read(child_signals, &drained, sizeof drained);
        if (const std::optional<int> code = reap(command, daemons)) return *code;
    }
    return 128 + SIGTERM;
}

int run_inside(const Job& job, const Inside& inside) {
    if (const Outcome<void> mounted = mount_private_views(); !mounted) {
        return complain(mounted.error());
    }
    const Outcome<Live> live = set_up(job.topology);
    if (!live) return complain(live.error());
    for (const std::string& note : live->notes) std::cerr << "lab: " << note << '\n';
    if (interrupted()) return 128 + SIGINT;
    if (hung_up(inside.stop_fd)) return 128 + SIGTERM;

    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, nullptr);
    const int child_signals = ::signalfd(-1, &child, SFD_CLOEXEC);
    const Outcome<pid_t> command = start_command(live->at(job.on), job.argv, job.group);
    if (!command) return complain(command.error());
    return supervise(*command, live->daemons, child_signals, inside.stop_fd);
}

}  // namespace

int lab(Run& run) {
    const Result<json::value> parsed = json::parse(run.input());
    if (!parsed || !parsed->is_object()) {
        return complain({exit_failed, "the host's arguments are no JSON object"});
    }
    const json::object& arguments = parsed->as_object();
    const std::string command(json::find_string(arguments, "command").value_or(""));
    if (command == "check") return check_machine();

    const Outcome<Job> job = plan(command, arguments);
    if (!job) return complain(job.error());
    if (command == "shell") {
        std::cerr << "lab: a shell on " << job->on << "; `ip netns exec HOST PROGRAM` reaches "
                  << job->topology.host_names() << "\n";
    }
    return run_isolated(run.cancel_fd(),
                        [&](const Inside& inside) { return run_inside(*job, inside); });
}

}  // namespace p2pdiag::lab
