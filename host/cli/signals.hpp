// Ctrl-C and friends as something to poll, so that a run ends bounded and still prints what is
// known.
#pragma once

#include "base/clock.hpp"

namespace p2pdiag::cli {

class SignalWatch {
public:
    SignalWatch();   // takes SIGINT, SIGTERM and SIGHUP away from their default action
    ~SignalWatch();  // gives them back
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    int fd() const { return fd_; }  // readable when a signal came
    // How often somebody wanted it to end so far. SIGTERM and SIGHUP often come twice for one wish:
    // timeout(1) sends to the process and to its group, and of a closed terminal both the kernel
    // and the shell tell. Those that follow within a second are not counted; each Ctrl-C is.
    int count();
    int last() const { return last_; }  // number of the latest one, 0 = none yet
    // The exit code of a command that ended because of it.
    int exit_code() const;
    // What comes from here on, or came since count(), changes nothing: all is done, and is only to
    // be told. Holds until the process ends.
    void dismiss();
    // The latest one came from the terminal, whose whole process group has it.
    bool from_terminal() const { return from_terminal_; }

private:
    int fd_ = -1;
    int count_ = 0;
    int last_ = 0;
    TimePoint counted_{};  // the latest one that was
    bool from_terminal_ = false;
};

}  // namespace p2pdiag::cli
