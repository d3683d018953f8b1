// Who changes this network's rules at the moment.
#pragma once

#include <chrono>

#include "base/fd.hpp"

namespace p2pdiag::firewall {

// Held by a change of ours and by every program that it starts, which may outlive it: a killed
// p2pdiag leaves a ufw that is still at work. Whoever takes the change back waits for its end, so
// that the rule does not come into force after that. Released by the kernel when the last of them
// ends.
class AllowLock {
public:
    // Waits for it, at most until then.
    static AllowLock take(std::chrono::steady_clock::time_point until);

    // False: somebody else has it still.
    bool held() const { return held_; }

private:
    AllowLock(Fd file, bool held) : file_(std::move(file)), held_(held) {}

    Fd file_;
    bool held_;
};

}  // namespace p2pdiag::firewall
