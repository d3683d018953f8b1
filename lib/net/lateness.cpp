#include "lateness.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace p2pdiag::net {

namespace {

constexpr Milliseconds step{20};
// A timer's own grain, and that of a machine that has time.
constexpr Milliseconds punctual{5};

}  // namespace

boost::asio::awaitable<void> add_up_lateness(std::shared_ptr<Clock::duration> total) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (;;) {
        const TimePoint due = Clock::now() + step;
        timer.expires_at(due);
        co_await timer.async_wait(boost::asio::use_awaitable);
        const Clock::duration late = Clock::now() - due;
        if (late > punctual) *total += late;
    }
}

}  // namespace p2pdiag::net
