// The bridge from the blocking run() of the ABI to Boost.Asio coroutines inside a plugin.
#pragma once

#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>

namespace p2pdiag {

enum class Ended { finished, cancelled, deadline };

// Runs `task` to its end on an io_context of its own, on this thread. When cancel_fd becomes readable (-1 =
// never) or the deadline passes, the task gets a terminal cancellation: its pending operation fails with
// operation_aborted, and it may still clean up. What the task throws is thrown here, except the
// operation_aborted that a cancellation caused.
//
// g++ 12.2 miscompiles a co_await expression that holds a capturing lambda or braces: name such a value on the
// line above.
inline Ended run_until(int cancel_fd, std::chrono::steady_clock::time_point deadline,
                       boost::asio::awaitable<void> task) {
    namespace asio = boost::asio;
    using boost::system::error_code;

    asio::io_context context(1);
    asio::cancellation_signal cancel;
    Ended ended = Ended::finished;
    std::exception_ptr problem;

    asio::posix::stream_descriptor cancelled(context);
    if (cancel_fd >= 0) {
        cancelled.assign(::dup(cancel_fd));
        cancelled.async_wait(asio::posix::stream_descriptor::wait_read, [&](error_code error) {
            if (error) return;
            ended = Ended::cancelled;
            cancel.emit(asio::cancellation_type::terminal);
        });
    }
    asio::steady_timer timer(context);
    if (deadline != std::chrono::steady_clock::time_point::max()) {
        timer.expires_at(deadline);
        timer.async_wait([&](error_code error) {
            if (error) return;
            ended = Ended::deadline;
            cancel.emit(asio::cancellation_type::terminal);
        });
    }

    auto finish = [&](std::exception_ptr thrown) {
        problem = thrown;
        timer.cancel();
        error_code ignored;
        cancelled.close(ignored);
    };
    asio::co_spawn(context, std::move(task), asio::bind_cancellation_slot(cancel.slot(), finish));
    context.run();

    if (problem) {
        try {
            std::rethrow_exception(problem);
        } catch (const boost::system::system_error& error) {
            const bool ours = error.code() == asio::error::operation_aborted;
            if (!ours || ended == Ended::finished) throw;
        } catch (const asio::multiple_exceptions&) {
            // Both sides of an awaitable operator (&&, ||) were cancelled.
            if (ended == Ended::finished) throw;
        }
    }
    return ended;
}

}  // namespace p2pdiag
