#include "leftovers.hpp"

#include <boost/asio/this_coro.hpp>

#include "net/task_group.hpp"
#include "taking_back.hpp"
#include "test_record.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

constexpr Milliseconds longest_clearing{3000};

struct Clearing {
    std::vector<Leftover> claimed;
    std::vector<std::shared_ptr<TakingBack>> sessions;  // one for each
};

asio::awaitable<void> remove_all(std::shared_ptr<Clearing> clearing) {
    for (const auto& session : clearing->sessions) co_await take_back(session);
}

// As far as it came.
void tell(const TakingBack& session, Leftovers& result) {
    const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& more) {
        to.insert(to.end(), more.begin(), more.end());
    };
    add(result.removed, session.gone);
    add(result.left, session.problems);
    // Those that were asked for and stay stand first.
    for (std::size_t i = session.problems.size(); i < session.left.size(); ++i) {
        const Try one = try_of(session.input.step, session.left[i]);
        result.left.push_back(forward_words(one) + ": the router took too long");
    }
}

}  // namespace

asio::awaitable<void> remove_leftovers(std::shared_ptr<Leftovers> result) {
    const auto directory = test_record_dir();
    if (!directory) co_return;
    const auto clearing = std::make_shared<Clearing>();
    clearing->claimed = Leftover::claim_all(*directory);
    for (Leftover& one : clearing->claimed) {
        const auto session = std::make_shared<TakingBack>(one.input());
        session->on_less = [&one](const std::vector<Attempt>& left) { one.write(left); };
        clearing->sessions.push_back(session);
    }
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    const TimePoint end = Clock::now() + longest_clearing;
    tasks.spawn(remove_all(clearing));
    while (tasks.running() > 0 && Clock::now() < end) co_await tasks.wait_for_change(end);
    tasks.cancel();
    co_await tasks.wait();
    for (const auto& session : clearing->sessions) tell(*session, *result);
}

}  // namespace p2pdiag::upnp_plugin
