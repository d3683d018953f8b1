#include "fake/sandbox.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <exception>

namespace p2pdiag::testing {

namespace {

bool write_file(const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(fd);
    return written;
}

bool leave_namespaces() {
    constexpr int spaces = CLONE_NEWNS | CLONE_NEWNET;
    if (::unshare(spaces) == 0) return true;
    const auto user = static_cast<unsigned>(::getuid());
    const auto group = static_cast<unsigned>(::getgid());
    if (::unshare(CLONE_NEWUSER | spaces) != 0) return false;
    return write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") &&
           write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
}

bool switch_loopback_on() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const bool done = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    ::close(fd);
    return done;
}

// Lays a file of our own over one of the system's, for this mount namespace only.
bool cover(const char* path, const std::string& text) {
    char name[] = "/tmp/p2pdiag-sandbox-XXXXXX";
    const int fd = ::mkstemp(name);
    if (fd < 0) return false;
    ::close(fd);
    const bool covered =
        write_file(name, text) && ::mount(name, path, nullptr, MS_BIND, nullptr) == 0;
    ::unlink(name);
    return covered;
}

bool enter(const SandboxOptions& options) {
    if (!leave_namespaces()) return false;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    if (options.loopback_up && !switch_loopback_on()) return false;
    if (options.resolv_conf.empty()) return true;
    return cover("/etc/resolv.conf", options.resolv_conf) &&
           cover("/etc/nsswitch.conf", "hosts: files dns\n");
}

// The first byte says whether the sandbox came about.
[[noreturn]] void child(const SandboxOptions& options, const std::function<std::string()>& work,
                        int out) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string text = "-";
    if (enter(options)) {
        try {
            text = "+" + work();
        } catch (const std::exception&) {
            text = "+FAILED";
        }
    }
    const ssize_t written = ::write(out, text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
}

}  // namespace

std::optional<std::string> in_sandbox(const SandboxOptions& options,
                                      const std::function<std::string()>& work) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
    const pid_t pid = ::fork();
    if (pid == 0) child(options, work, ends[1]);
    ::close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t size = 0; pid > 0 && (size = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(size));
    }
    ::close(ends[0]);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    if (text.empty()) return "FAILED";
    if (text[0] == '-') return std::nullopt;
    return text.substr(1);
}

}  // namespace p2pdiag::testing
