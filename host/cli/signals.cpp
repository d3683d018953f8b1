#include "cli/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <initializer_list>

namespace p2pdiag::cli {

namespace {

sigset_t watched() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
    return set;
}

}  // namespace

SignalWatch::SignalWatch() {
    const sigset_t set = watched();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

SignalWatch::~SignalWatch() {
    ::close(fd_);
    const sigset_t set = watched();
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

int SignalWatch::count() {
    signalfd_siginfo info{};
    while (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        ++count_;
        last_ = static_cast<int>(info.ssi_signo);
        from_terminal_ = info.ssi_code == SI_KERNEL;
    }
    return count_;
}

}  // namespace p2pdiag::cli
