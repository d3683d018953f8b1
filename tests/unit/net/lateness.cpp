#include "net/lateness.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <catch2/catch.hpp>
#include <thread>

using namespace p2pdiag;
using namespace std::chrono_literals;

TEST_CASE("what this thread was kept from is added up") {
    boost::asio::io_context context;
    const auto total = std::make_shared<Clock::duration>(0);
    boost::asio::co_spawn(context, net::add_up_lateness(total), boost::asio::detached);
    boost::asio::steady_timer busy(context, 10ms);
    boost::asio::steady_timer end(context);
    busy.async_wait([&](const boost::system::error_code&) {
        std::this_thread::sleep_for(300ms);
        end.expires_after(50ms);
        end.async_wait([&](const boost::system::error_code&) { context.stop(); });
    });
    context.run();
    // It wanted to wake ten milliseconds after the other fell asleep, or a little later.
    CHECK(*total >= 200ms);
}
