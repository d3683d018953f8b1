// Ctrl-C and friends as something to poll, so that a run ends bounded and still prints what is
// known.
#pragma once

namespace p2pdiag::cli {

class SignalWatch {
public:
    SignalWatch();   // takes SIGINT, SIGTERM and SIGHUP away from their default action
    ~SignalWatch();  // gives them back
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    int fd() const { return fd_; }      // readable when a signal came
    int count();                        // how many came so far
    int last() const { return last_; }  // number of the latest one, 0 = none yet
    // The latest one came from the terminal, whose whole process group has it.
    bool from_terminal() const { return from_terminal_; }

private:
    int fd_ = -1;
    int count_ = 0;
    int last_ = 0;
    bool from_terminal_ = false;
};

}  // namespace p2pdiag::cli
