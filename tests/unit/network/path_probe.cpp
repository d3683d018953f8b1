// Requests and answers on a machine that is short of time.
#include "path_probe.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "fake/stun_server.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using namespace p2pdiag::network_plugin;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<PathTarget> probe(const FakeStunServer& server, Milliseconds stall) {
    boost::asio::io_context context;
    auto target = std::make_shared<PathTarget>();
    target->server = server.primary();
    target->mtu.link_mtu = 1500;
    boost::asio::co_spawn(context, probe_target(target), boost::asio::detached);
    boost::asio::steady_timer timer(context, 100ms);
    timer.async_wait([stall](const boost::system::error_code&) {
        if (stall.count() > 0) std::this_thread::sleep_for(stall);
    });
    context.run();
    return target;
}

}  // namespace

TEST_CASE("what this machine sent too late is no loss") {
    FakeStunOptions options;
    options.delay = 10ms;
    const FakeStunServer server(options);
    // Longer than the whole series and the wait for its answers.
    const auto target = probe(server, 1500ms);
    CHECK(target->series.sent == 16);
    CHECK_FALSE(target->series.lossy());
}

TEST_CASE("what was lost is lost, however long it is waited for") {
    FakeStunOptions options;
    options.lose_first = 8;  // of small and large ones
    const FakeStunServer server(options);
    const auto target = probe(server, 0ms);
    CHECK(target->series.sent == 16);
    CHECK(target->series.lossy());
    CHECK(target->series.lost() >= 3);
    CHECK(target->series.last_answered == 16);
}
