#include "leftovers.hpp"

#include <boost/asio/this_coro.hpp>

#include "net/task_group.hpp"
#include "taking_back.hpp"
#include "test_record.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

constexpr Milliseconds longest_clearing{3000};

asio::awaitable<void> remove_all(std::shared_ptr<Leftovers> result,
                                 std::shared_ptr<std::vector<Leftover>> claimed) {
    for (Leftover& one : *claimed) {
        const auto session = std::make_shared<TakingBack>(one.input());
        session->on_less = [&one](const std::vector<Attempt>& left) { one.write(left); };
        co_await take_back(session);
        const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& more) {
            to.insert(to.end(), more.begin(), more.end());
        };
        add(result->removed, session->gone);
        add(result->left, session->problems);
    }
}

}  // namespace

asio::awaitable<void> remove_leftovers(std::shared_ptr<Leftovers> result) {
    const auto directory = test_record_dir();
    if (!directory) co_return;
    const auto claimed = std::make_shared<std::vector<Leftover>>(Leftover::claim_all(*directory));
    if (claimed->empty()) co_return;
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    const TimePoint end = Clock::now() + longest_clearing;
    tasks.spawn(remove_all(result, claimed));
    while (tasks.running() > 0 && Clock::now() < end) co_await tasks.wait_for_change(end);
    if (tasks.running() > 0) {
        result->left.push_back("the router took too long");
        tasks.cancel();
        co_await tasks.wait();
    }
}

}  // namespace p2pdiag::upnp_plugin
