// A Caller that gives each call a child of its own.
#pragma once

#include "change/caller.hpp"

namespace p2pdiag::change {

class Children : public Caller {
public:
    // `interrupt_fd` (-1 = none) becomes readable when `count` has grown. The first interrupt asks
    // children to stop, unless they are patient; the second kills them.
    Children(int interrupt_fd, std::function<int()> count)
        : interrupt_fd_(interrupt_fd), count_(std::move(count)) {}

    std::vector<report::CheckResult> run(std::vector<Call> calls) override;
    int interrupts() override { return count_ ? count_() : 0; }

private:
    int interrupt_fd_;
    std::function<int()> count_;
};

}  // namespace p2pdiag::change
