#include "net/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <list>
#include <utility>
#include <vector>

namespace p2pdiag::net {

namespace asio = boost::asio;

struct TaskGroup::State {
    explicit State(const asio::any_io_executor& on) : executor(on), changed(on) {}

    asio::any_io_executor executor;
    asio::steady_timer changed;  // cancelled when a task ends
    std::list<asio::cancellation_signal> running;
    unsigned long ended = 0;
    std::exception_ptr problem;

    static bool is_cancellation(const std::exception_ptr& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const boost::system::system_error& error) {
            return error.code() == asio::error::operation_aborted;
        } catch (...) {
            return false;
        }
    }
};

TaskGroup::TaskGroup(const asio::any_io_executor& executor)
    : state_(std::make_shared<State>(executor)) {}

TaskGroup::~TaskGroup() { cancel(); }

void TaskGroup::spawn(asio::awaitable<void> task) {
    const auto signal = state_->running.emplace(state_->running.end());
    auto finished = [state = state_, signal](const std::exception_ptr& thrown) {
        if (thrown && !state->problem && !State::is_cancellation(thrown)) state->problem = thrown;
        // Not now: this runs inside of what the signal's slot holds.
        asio::post(state->executor, [state, signal] {
            state->running.erase(signal);
            ++state->ended;
            state->changed.cancel();
        });
    };
    asio::co_spawn(state_->executor, std::move(task),
                   asio::bind_cancellation_slot(signal->slot(), std::move(finished)));
}

std::size_t TaskGroup::running() const { return state_->running.size(); }

asio::awaitable<void> TaskGroup::wait_for_change(TimePoint until) {
    const auto state = state_;
    const unsigned long before = state->ended;
    ErrorCode error;
    while (state->ended == before && !state->running.empty() && Clock::now() < until) {
        state->changed.expires_at(until);
        co_await state->changed.async_wait(asio::redirect_error(asio::use_awaitable, error));
        const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
        if (cancelled != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
    }
    if (state->problem) std::rethrow_exception(std::exchange(state->problem, nullptr));
}

asio::awaitable<void> TaskGroup::wait() {
    while (running() > 0) co_await wait_for_change(TimePoint::max());
}

void TaskGroup::cancel() {
    std::vector<asio::cancellation_signal*> all;
    for (asio::cancellation_signal& signal : state_->running) all.push_back(&signal);
    for (asio::cancellation_signal* signal : all) signal->emit(asio::cancellation_type::terminal);
}

}  // namespace p2pdiag::net
