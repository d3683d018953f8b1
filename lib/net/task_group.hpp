// Coroutines that run side by side on one thread, can be waited for and cancelled together.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

class TaskGroup {
public:
    explicit TaskGroup(const boost::asio::any_io_executor& executor);
    // Cancels what still runs. The tasks end later, on the executor: they must own what they use.
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // A task may spawn further ones into its own group.
    void spawn(boost::asio::awaitable<void> task);
    std::size_t running() const;

    // Returns when a task has ended, when none is running, or when the time has come. Throws what a
    // task threw (except the operation_aborted of a cancelled one), and operation_aborted when the
    // waiting itself is cancelled.
    boost::asio::awaitable<void> wait_for_change(TimePoint until);
    // Until all tasks have ended; throws as above.
    boost::asio::awaitable<void> wait();

    // Each running task gets a terminal cancellation: its pending operation fails with
    // operation_aborted.
    void cancel();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace p2pdiag::net
