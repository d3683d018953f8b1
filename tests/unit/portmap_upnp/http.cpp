#include "net/http.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "fake/stun_server.hpp"
#include "router.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using Kind = net::HttpProblem::Kind;

namespace {

// A deadline that is never met on a machine that works, however slow, and one for what never ends.
constexpr net::HttpLimits patient{std::chrono::seconds(60), 256 * 1024, 16 * 1024};
constexpr net::HttpLimits hasty{Milliseconds(300), 256 * 1024, 16 * 1024};

net::HttpRequest get(const FakeIgd& router) {
    net::HttpRequest request;
    request.server = router.http();
    request.local = here;
    request.interface = loopback_index;
    request.host = router.http().to_string();
    request.target = "/rootDesc.xml";
    request.end_mark = "</root>";
    return request;
}

using Answer = boost::system::result<net::HttpResponse, net::HttpProblem>;

Answer fetch(net::HttpRequest request, net::HttpLimits limits = patient) {
    boost::asio::io_context context;
    std::optional<Answer> answer;
    const auto keep = [](net::HttpRequest asked, net::HttpLimits bounds,
                         std::optional<Answer>* out) -> boost::asio::awaitable<bool> {
        out->emplace(co_await net::http_fetch(std::move(asked), bounds));
        co_return true;
    };
    run_on(context, keep(std::move(request), limits, &answer));
    return *answer;
}

Answer fetch_from(HttpFault fault, net::HttpLimits limits = patient) {
    FakeIgdOptions options;
    options.description_http = fault;
    options.elsewhere = closed_port();
    const FakeIgd router(options);
    return fetch(get(router), limits);
}

Kind problem_of(const Answer& answer) {
    REQUIRE(answer.has_error());
    CHECK_FALSE(answer.error().text.empty());
    return answer.error().kind;
}

}  // namespace

TEST_CASE("http: a whole answer") {
    const Answer answer = fetch_from(HttpFault::none);
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->reason == "OK");
    CHECK(answer->server == "fake/1");
    CHECK(answer->body.starts_with("<?xml"));
    CHECK(answer->body.ends_with("</root>\r\n"));
}

TEST_CASE("http: an answer that ends oddly is taken as far as it goes") {
    for (const HttpFault fault :
         {HttpFault::never_closes, HttpFault::long_length, HttpFault::wrong_type}) {
        const Answer answer = fetch_from(fault);
        REQUIRE(answer.has_value());
        CHECK(answer->body.ends_with("</root>\r\n"));
    }
}

TEST_CASE("http: redirects and pages of errors are answers, and are not followed") {
    const Answer redirect = fetch_from(HttpFault::redirect);
    REQUIRE(redirect.has_value());
    CHECK(redirect->status == 302);
    const Answer lost = fetch_from(HttpFault::not_found);
    REQUIRE(lost.has_value());
    CHECK(lost->status == 404);
}

TEST_CASE("http: whatever has no end ends at the deadline or at the limit") {
    CHECK(problem_of(fetch_from(HttpFault::silent, hasty)) == Kind::no_answer);
    CHECK(problem_of(fetch_from(HttpFault::slow_drip, hasty)) == Kind::no_answer);
    CHECK(problem_of(fetch_from(HttpFault::half_and_open, hasty)) == Kind::no_answer);
    net::HttpLimits small = patient;
    small.body = 20;
    CHECK(problem_of(fetch_from(HttpFault::endless_chunks, small)) == Kind::too_large);
    CHECK(problem_of(fetch_from(HttpFault::endless_chunks, hasty)) == Kind::no_answer);
}

TEST_CASE("http: sizes have limits, whether they are announced or not") {
    CHECK(problem_of(fetch_from(HttpFault::huge)) == Kind::too_large);
    CHECK(problem_of(fetch_from(HttpFault::huge_unannounced)) == Kind::too_large);
    CHECK(problem_of(fetch_from(HttpFault::huge_headers)) == Kind::too_large);
}

TEST_CASE("http: what is no answer is said so") {
    CHECK(problem_of(fetch_from(HttpFault::closed)) == Kind::refused);
    CHECK(problem_of(fetch_from(HttpFault::closes_at_once)) == Kind::no_answer);
    CHECK(problem_of(fetch_from(HttpFault::closes_within)) == Kind::no_answer);
    CHECK(problem_of(fetch_from(HttpFault::not_http)) == Kind::malformed);
    // Connected, and not a byte of an answer.
    CHECK(fetch_from(HttpFault::closes_at_once).error().mute);
    for (const HttpFault fault : {HttpFault::closed, HttpFault::closes_within}) {
        CHECK_FALSE(fetch_from(fault).error().mute);
    }
}

TEST_CASE("http: where this machine cannot send, nothing is waited for") {
    const FakeIgd router;
    net::HttpRequest request = get(router);
    request.local = IpAddress::parse("192.0.2.77");  // not ours
    CHECK(problem_of(fetch(request)) == Kind::no_route);
}

TEST_CASE("http: a request that would become another one is not sent") {
    const FakeIgd router;
    for (const std::string_view target : {"", "x", "/a b", "/\r\nX: y"}) {
        net::HttpRequest request = get(router);
        request.target = target;
        CHECK(problem_of(fetch(request)) == Kind::bad_request);
    }
    net::HttpRequest request = get(router);
    request.headers.emplace_back("SOAPAction", "x\r\nEvil: 1");
    CHECK(problem_of(fetch(request)) == Kind::bad_request);
    CHECK(router.http_requests() == 0);
}

TEST_CASE("http: IPv6") {
    if (!has_ipv6_loopback()) return;
    FakeIgdOptions options;
    options.address = IpAddress::parse("::1");
    const FakeIgd router(options);
    const Answer answer = fetch(get(router));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
}

TEST_CASE("http: a cancelled request ends at once") {
    FakeIgdOptions options;
    options.description_http = HttpFault::silent;
    const FakeIgd router(options);
    boost::asio::io_context context;
    boost::asio::cancellation_signal signal;
    bool ended = false;
    const auto one = [](net::HttpRequest request) -> boost::asio::awaitable<void> {
        co_await net::http_fetch(std::move(request), patient);
    };
    boost::asio::co_spawn(context, one(get(router)),
                          boost::asio::bind_cancellation_slot(
                              signal.slot(), [&](std::exception_ptr) { ended = true; }));
    boost::asio::steady_timer soon(context, Milliseconds(50));
    soon.async_wait([&](auto) { signal.emit(boost::asio::cancellation_type::terminal); });
    const TimePoint start = Clock::now();
    context.run();
    CHECK(ended);
    CHECK(Clock::now() - start < patient.whole);
}
