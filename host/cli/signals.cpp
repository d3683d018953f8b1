#include "cli/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "report/exit_code.hpp"

namespace p2pdiag::cli {

namespace {

constexpr std::array end_signals = {SIGINT, SIGTERM, SIGHUP};

constexpr Milliseconds one_wish{1000};

sigset_t watched() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : end_signals) ::sigaddset(&set, signal);
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
        const TimePoint now = Clock::now();
        const bool same_wish = info.ssi_signo != SIGINT && count_ > 0 && now - counted_ < one_wish;
        if (!same_wish) {
            ++count_;
            counted_ = now;
        }
        last_ = static_cast<int>(info.ssi_signo);
        from_terminal_ = info.ssi_code == SI_KERNEL;
    }
    return count_;
}

int SignalWatch::exit_code() const {
    return last_ == SIGINT ? report::exit_codes::interrupted : report::exit_codes::terminated;
}

void SignalWatch::dismiss() {
    // This also drops those that wait already.
    for (const int signal : end_signals) ::signal(signal, SIG_IGN);
}

}  // namespace p2pdiag::cli
