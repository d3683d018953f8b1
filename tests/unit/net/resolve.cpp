// Names and addresses as they are configured. No test asks a name server: only what the system
// knows by itself.
#include "net/resolve.hpp"

#include <catch2/catch.hpp>

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
