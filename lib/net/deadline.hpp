// A coroutine that may take only so long.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "base/clock.hpp"

namespace p2pdiag::net {

// True when `work` ended in time; otherwise it was cancelled, and has ended all the same. When the
// waiting itself is cancelled, throws operation_aborted. `work` must report its errors without
// throwing: Asio would wait for the deadline before it hands an exception on.
inline boost::asio::awaitable<bool> in_time(TimePoint deadline, boost::asio::awaitable<void> work) {
    namespace asio = boost::asio;
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
    auto expired = timer.async_wait(asio::use_awaitable);
    auto either = std::move(work) || std::move(expired);
    std::exception_ptr problem;
    try {
        const auto first = co_await std::move(either);
        co_return first.index() == 0;
    } catch (const asio::multiple_exceptions& both) {
        // A cancellation ends both sides, each with an exception of its own.
        problem = both.first_exception();
    }
    std::rethrow_exception(problem);
}

}  // namespace p2pdiag::net
