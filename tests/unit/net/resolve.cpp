// Names and addresses as they are configured. No test asks a name server: only what the system
// knows by itself.
#include "net/resolve.hpp"

#include <boost/asio/ip/udp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <memory>

#include "run_task.hpp"

using namespace p2pdiag;
using p2pdiag::testing::run_on;

namespace {

Result<std::vector<IpAddress>> resolve(const std::string& host, Family family,
                                       Milliseconds patience = Milliseconds(120'000)) {
    boost::asio::io_context context;
    return run_on(context, net::resolve(host, family, Clock::now() + patience));
}

}  // namespace

TEST_CASE("addresses are not looked up") {
    // A deadline in the past: a lookup would be over before it began.
    const auto v4 = resolve("192.0.2.1", Family::ipv4, Milliseconds(-1));
    REQUIRE(v4.has_value());
    CHECK(v4->front().to_string() == "192.0.2.1");
    CHECK(resolve("2001:db8::1", Family::ipv6, Milliseconds(-1)).has_value());
    CHECK(resolve("192.0.2.1", Family::ipv6).error() == net::ResolveError::no_address);
    CHECK(resolve("2001:db8::1", Family::ipv4).error() == net::ResolveError::no_address);
}

TEST_CASE("localhost is found without a name server") {
    const auto found = resolve("localhost", Family::ipv4);
    REQUIRE(found.has_value());
    CHECK(found->front().scope() == AddressScope::loopback);
}

namespace {

// Two sockets that something arrives at in the same moment: Asio takes both events from the kernel
// at once, and the first to be told closes the other.
boost::asio::awaitable<Result<std::vector<IpAddress>>> resolve_after_a_close() {
    using udp = boost::asio::ip::udp;
    using Socket = boost::asio::basic_datagram_socket<udp>;
    const auto executor = co_await boost::asio::this_coro::executor;
    const udp::endpoint loopback(boost::asio::ip::address_v4::loopback(), 0);
    Socket sender(executor, loopback);
    Socket first(executor, loopback);
    auto second = std::make_unique<Socket>(executor, loopback);
    for (const Socket* to : {&first, second.get()}) {
        sender.send_to(boost::asio::buffer("x", 1), to->local_endpoint());
    }
    co_await first.async_wait(Socket::wait_read, boost::asio::use_awaitable);
    second.reset();
    co_return co_await net::resolve("localhost", Family::ipv4, Clock::now() + Milliseconds(60'000));
}

}  // namespace

TEST_CASE("the event of a socket that has just been closed is no answer") {
    for (int i = 0; i < 20; ++i) {
        boost::asio::io_context context;
        const auto found = run_on(context, resolve_after_a_close());
        REQUIRE(found.has_value());
        CHECK(found->front().scope() == AddressScope::loopback);
    }
}

TEST_CASE("a name that is none fails at once, and a deadline that is over ends the wait") {
    CHECK(resolve("no such name", Family::ipv4).error() == net::ResolveError::failed);
    CHECK(resolve("", Family::ipv4).error() == net::ResolveError::failed);
    CHECK(resolve(std::string(300, 'a'), Family::ipv4).error() == net::ResolveError::failed);
    const auto late = resolve("localhost", Family::ipv4, Milliseconds(-1));
    if (!late) CHECK(late.error() == net::ResolveError::timed_out);
}

TEST_CASE("each error has a word and a sentence of its own") {
    using net::ResolveError;
    std::vector<std::string> seen;
    for (const auto error :
         {ResolveError::not_found, ResolveError::no_address, ResolveError::temporary_failure,
          ResolveError::timed_out, ResolveError::failed}) {
        seen.push_back(std::string(net::to_string(error)));
        seen.push_back(make_error_code(error).message());
    }
    std::sort(seen.begin(), seen.end());
    CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
}
