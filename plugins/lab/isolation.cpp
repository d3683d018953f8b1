#include "isolation.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>

#include "base/fd.hpp"

namespace p2pdiag::lab {
namespace {

std::string reason(int error) { return std::strerror(error); }

Problem unavailable(std::string message) { return {exit_unavailable, std::move(message)}; }

bool write_file(const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    ::close(fd);
    errno = error;
    return written;
}

std::string why_no_user_namespace(int error) {
    if (error == ENOSPC || error == EUSERS) {
        return "the limit of namespaces is reached (sysctl user.max_user_namespaces and its kin)";
    }
    return "neither root nor allowed to make a user namespace: " + reason(error) +
           " (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces, "
           "kernel.apparmor_restrict_unprivileged_userns)";
}

Outcome<Privilege> unshare_all() {
    const int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
    if (::unshare(flags) == 0) return Privilege::root;

    const std::string uid_map = "0 " + std::to_string(::geteuid()) + " 1";
    const std::string gid_map = "0 " + std::to_string(::getegid()) + " 1";
    if (::unshare(CLONE_NEWUSER | flags) != 0) return unavailable(why_no_user_namespace(errno));
    // user_namespaces(7): without privilege, setgroups must be given up before gid_map is written.
    const bool mapped = write_file("/proc/self/setgroups", "deny") &&
                        write_file("/proc/self/uid_map", uid_map) &&
                        write_file("/proc/self/gid_map", gid_map);
    if (!mapped) return unavailable("cannot map the user into a user namespace: " + reason(errno));
    return Privilege::user_namespace;
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return exit_failed;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The process between: it alone can enter a PID namespace on behalf of its child, since unshare()
// moves only children, and its death is what the child's death signal hangs on.
[[noreturn]] void keep(pid_t parent, int stop_fd, const std::function<int(const Inside&)>& body) {
    const Outcome<Privilege> privilege = unshare_all();
    if (!privilege) {
        std::cerr << "lab: " << privilege.error().message << '\n';
        ::_exit(privilege.error().exit_code);
    }
    // Only now: entering a user namespace takes the setting back (credentials change).
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(exit_failed);

    const pid_t first = ::fork();
    if (first < 0) {
        std::cerr << "lab: fork: " << reason(errno) << '\n';
        ::_exit(exit_failed);
    }
    if (first == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (hung_up(stop_fd)) ::_exit(exit_failed);
        const int code = body({*privilege, stop_fd});
        std::cout.flush();
        ::_exit(code);
    }
    ::close(stop_fd);
    ::_exit(wait_for(first));
}

// Ctrl-C on a terminal reaches the command as well, which ends by itself; whoever waits for it must
// outlive it. The others may be meant for us alone, and then the command has to be told.
class Signals {
public:
    Signals() {
        sigset_t ours;
        sigemptyset(&ours);
        for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) sigaddset(&ours, signal);
        ::pthread_sigmask(SIG_BLOCK, &ours, &before_);
        fd_ = ::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    ~Signals() {
        ::close(fd_);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    int fd() const { return fd_; }

    bool one_of_them_ends_us() {
        bool ends = false;
        signalfd_siginfo info{};
        while (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            const bool from_terminal = info.ssi_code == SI_KERNEL;
            ends = ends || info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP ||
                   (info.ssi_signo == SIGINT && !from_terminal);
        }
        return ends;
    }

private:
    sigset_t before_{};
    int fd_ = -1;
};

// Returns once the child has ended or must be told to.
void wait_or_cancel(int child_fd, int cancel_fd, Signals& signals) {
    std::array<pollfd, 3> watched{
        {{child_fd, POLLIN, 0}, {cancel_fd, POLLIN, 0}, {signals.fd(), POLLIN, 0}}};
    while (true) {
        if (::poll(watched.data(), watched.size(), -1) < 0) {
            if (errno == EINTR) continue;
            return;
        }
        if (watched[0].revents != 0 || watched[1].revents != 0) return;
        if (watched[2].revents != 0 && signals.one_of_them_ends_us()) return;
    }
}

// A shell in the lab makes itself the terminal's foreground; afterwards it is ours again.
void take_terminal_back() {
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

bool hung_up(int stop_fd) {
    pollfd poll_fd{stop_fd, POLLIN, 0};
    return ::poll(&poll_fd, 1, 0) > 0;
}

void throw_exception_from_error(const Problem& problem, const boost::source_location&) {
    throw std::runtime_error(problem.message);
}

int run_isolated(int cancel_fd, const std::function<int(const Inside&)>& body) {
    int stop[2];
    if (::pipe2(stop, O_CLOEXEC) != 0) {
        std::cerr << "lab: pipe: " << reason(errno) << '\n';
        return exit_failed;
    }
    const bool foreground = ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
    Signals signals;
    const pid_t self = ::getpid();
    const pid_t keeper = ::fork();
    if (keeper == 0) {
        ::close(stop[1]);
        keep(self, stop[0], body);
    }
    ::close(stop[0]);
    if (keeper < 0) {
        std::cerr << "lab: fork: " << reason(errno) << '\n';
        ::close(stop[1]);
        return exit_failed;
    }
    if (const Fd ended = open_pidfd(keeper); ended.open()) {
        wait_or_cancel(ended.get(), cancel_fd, signals);
    } else {
        std::cerr << "lab: pidfd_open: " << reason(errno) << '\n';
    }
    ::close(stop[1]);
    const int code = wait_for(keeper);
    if (foreground) take_terminal_back();
    return code;
}

Outcome<void> mount_private_views() {
    struct Mount {
        const char* type;
        const char* target;
        unsigned long flags;
        const char* data;
    };
    const Mount mounts[] = {
        {nullptr, "/", MS_REC | MS_PRIVATE, nullptr},
        {"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr},
        {"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755,size=64m"},
    };
    for (const Mount& mount : mounts) {
        if (::mount("lab", mount.target, mount.type, mount.flags, mount.data) != 0) {
            return unavailable(std::string("cannot mount ") + mount.target +
                               " in a namespace: " + reason(errno));
        }
    }
    return {};
}

}  // namespace p2pdiag::lab
