#include "programs.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "base/fd.hpp"
#include "topology.hpp"

namespace p2pdiag::lab {
namespace {

constexpr const char* sbin_directories = "/usr/local/sbin:/usr/sbin:/sbin";
constexpr int exec_failed = 127;  // as shells have it

// Last comes p2pdiag itself, so that its name can be typed in a shell of the lab.
std::string search_path() {
    const char* path = std::getenv("PATH");
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    return std::string(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin") + ":" +
           sbin_directories + (error ? "" : ":" + self.parent_path().native());
}

[[noreturn]] void die(const std::string& text) {
    const std::string line = "lab: " + text + ": " + std::strerror(errno) + "\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    ::_exit(exec_failed);
}

void reset_signals() {
    for (const int signal :
         {SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU}) {
        std::signal(signal, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void execute(const std::vector<std::string>& argv) {
    // The host's own descriptors are none of a program's business.
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::setenv("PATH", search_path().c_str(), 1);
    ::execvp(words[0], words.data());
    die("cannot run " + argv[0]);
}

void enter_network(const LiveHost* host) {
    if (host != nullptr && ::setns(host->network_fd, CLONE_NEWNET) != 0) die("setns");
}

// /sys shows the network namespace in which it was mounted, so each host needs a mount of its own.
// Where the kernel refuses one, nothing is better than the sight of the machine's own interfaces.
void enter_views(const LiveHost& host) {
    if (::unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0) die("unshare");
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (::mount("lab", "/sys", "sysfs", flags, nullptr) != 0 &&
        ::mount("lab", "/sys", "tmpfs", flags | MS_RDONLY, nullptr) != 0) {
        die("cannot hide /sys");
    }
    const std::string hosts = std::string(lab_dir) + "/hosts." + host.name;
    if (::access("/etc/hosts", F_OK) == 0 &&
        ::mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) != 0) {
        die("cannot replace /etc/hosts");
    }
    ::sethostname(host.name.c_str(), host.name.size());
}

void lead_terminal() {
    ::setpgid(0, 0);
    // Taking the terminal from the background stops a process that does not ignore it.
    std::signal(SIGTTOU, SIG_IGN);
    ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
    std::signal(SIGTTOU, SIG_DFL);
}

Outcome<pid_t> start(const std::function<void()>& child) {
    const pid_t pid = ::fork();
    if (pid < 0) return Problem{exit_failed, std::string("fork: ") + std::strerror(errno)};
    if (pid == 0) {
        reset_signals();
        child();
        ::_exit(exec_failed);
    }
    return pid;
}

// A file in memory: neither side can block the other, as with pipes.
class Memory {
public:
    explicit Memory(std::string_view content = {}) : file_(memory_file(content)) {}

    int fd() const { return file_.get(); }

    std::string content() const {
        std::string text;
        std::array<char, 4096> chunk;
        ::lseek(fd(), 0, SEEK_SET);
        while (true) {
            const ssize_t count = ::read(fd(), chunk.data(), chunk.size());
            if (count <= 0) return text;
            text.append(chunk.data(), static_cast<std::size_t>(count));
        }
    }

private:
    Fd file_;
};

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        return ::access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
    }
    const std::string path = search_path();
    std::size_t begin = 0;
    while (begin <= path.size()) {
        const std::size_t end = std::min(path.find(':', begin), path.size());
        std::string candidate = path.substr(begin, end - begin) + "/" + name;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
        begin = end + 1;
    }
    return std::nullopt;
}

Outcome<std::string> run_tool(const LiveHost* host, const std::vector<std::string>& argv,
                              const std::string& input) {
    const Memory in(input);
    const Memory out;
    const Memory err;
    const Outcome<pid_t> pid = start([&] {
        ::setsid();
        enter_network(host);
        ::dup2(in.fd(), STDIN_FILENO);
        ::dup2(out.fd(), STDOUT_FILENO);
        ::dup2(err.fd(), STDERR_FILENO);
        execute(argv);
    });
    if (!pid) return pid.error();
    int status = 0;
    while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return out.content();
    std::string message;
    for (const std::string& word : argv) message += word + ' ';
    if (host != nullptr) message += "(in " + host->name + ") ";
    return Problem{exit_failed, message + "failed: " + err.content()};
}

Outcome<pid_t> start_background(const LiveHost* host, const std::vector<std::string>& argv,
                                const std::string& log) {
    return start([&] {
        ::setsid();
        const int null = ::open("/dev/null", O_RDONLY);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (null < 0 || out < 0) die("cannot open " + log);
        ::dup2(null, STDIN_FILENO);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        enter_network(host);
        if (host != nullptr) enter_views(*host);
        execute(argv);
    });
}

Outcome<pid_t> start_command(const LiveHost& host, const std::vector<std::string>& argv,
                             Group group) {
    return start([&] {
        if (group == Group::own) lead_terminal();
        enter_network(&host);
        enter_views(host);
        ::setenv("P2PDIAG_LAB", host.name.c_str(), 1);
        // What is changed in here ends with the lab, and is no business of the user's own journal.
        const std::string state = std::string(lab_dir) + "/state";
        ::setenv("P2PDIAG_STATE_DIR", state.c_str(), 1);
        // These would lead the command to servers that the lab does not have.
        for (const char* name :
             {"P2P_STUN_SERVERS", "P2P_TURN_SERVER", "P2P_TURN_USERNAME", "P2P_TURN_PASSWORD",
              "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}) {
            ::unsetenv(name);
        }
        execute(argv);
    });
}

}  // namespace p2pdiag::lab
