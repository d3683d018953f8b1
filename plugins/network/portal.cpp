#include "portal.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <memory>

#include "net/resolve.hpp"
#include "net/routes.hpp"
#include "text.hpp"
#include "wire/http/date.hpp"
#include "wire/upnp/url.hpp"

namespace p2pdiag::network_plugin {

namespace asio = boost::asio;
namespace chrono = std::chrono;
using chrono::system_clock;

namespace {

constexpr net::HttpLimits limits_of_answer{Milliseconds(0), 64 * 1024, 16 * 1024};
// RFC 6585 section 6: 511 Network Authentication Required, of "intercepting proxies used to
// control access to the network".
constexpr unsigned network_authentication_required = 511;
// What gets less time, since the name took long to look up, may be answered later.
constexpr Milliseconds fair_patience{1500};
// A cache of more than a year is none.
constexpr long longest_age = 366L * 24 * 3600;

bool is_redirect(unsigned status) { return status >= 300 && status < 400 && status != 304; }

bool has_route(Family family) {
    const auto route = net::route_to_internet(family);
    return !route || route->has_value();
}

// The address that is asked: IPv4 where there is one, as the portals of this world know no other.
asio::awaitable<std::optional<IpAddress>> address_of(std::string host, TimePoint deadline) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        if (!has_route(family) && !IpAddress::parse(host)) continue;
        const auto found = co_await net::resolve(host, family, deadline);
        if (found) co_return found->front();
    }
    co_return std::nullopt;
}

net::HttpRequest request_to(const upnp::Url& url, const Endpoint& server) {
    net::HttpRequest request;
    request.server = server;
    request.host = url.authority();
    request.target = url.target;
    request.headers = {{"User-Agent", "p2pdiag/1"}, {"Cache-Control", "no-cache"}};
    return request;
}

}  // namespace

std::string_view to_string(Portal portal) {
    switch (portal) {
        case Portal::not_asked: return "not-asked";
        case Portal::bad_url: return "bad-url";
        case Portal::no_name: return "no-name";
        case Portal::no_answer: return "no-answer";
        case Portal::absent: return "absent";
        case Portal::present: return "present";
        case Portal::unexpected: return "unexpected";
        case Portal::unfinished: break;
    }
    return "unfinished";
}

Portal read_answer(const net::HttpResponse& response, const PortalQuestion& question) {
    const bool expected =
        question.body.empty()
            ? response.status == 204 && response.body.empty()
            : response.status == 200 && trimmed(response.body) == trimmed(question.body);
    if (expected) return Portal::absent;
    const bool page = response.status == 200 || is_redirect(response.status) ||
                      response.status == network_authentication_required;
    return page ? Portal::present : Portal::unexpected;
}

std::optional<ClockSkew> read_clock(const net::HttpResponse& response,
                                    system_clock::time_point sent,
                                    system_clock::time_point received) {
    using Ms = chrono::milliseconds;
    const auto date = http::parse_date(response.date);
    if (!date || received < sent) return std::nullopt;
    long age = 0;
    const std::string& text = response.age;
    std::from_chars(text.data(), text.data() + text.size(), age);
    age = std::clamp(age, 0L, longest_age);
    const auto trip = chrono::duration_cast<Ms>(received - sent);
    // Of the second that Date names the middle, of the round trip too.
    const auto theirs = chrono::time_point_cast<Ms>(*date) + chrono::seconds(age) + Ms(500);
    const auto ours = chrono::time_point_cast<Ms>(sent) + trip / 2;
    return ClockSkew{ours - theirs, trip / 2 + Ms(500)};
}

asio::awaitable<PortalResult> ask_portal(PortalQuestion question, TimePoint deadline) {
    PortalResult result;
    if (question.url.empty()) co_return result;
    const auto url = upnp::parse_url(question.url);
    if (!url || url->secure) {
        result.portal = Portal::bad_url;
        co_return result;
    }
    result.host = url->host;
    const auto address = co_await address_of(url->host, deadline);
    if (!address) {
        result.portal = Portal::no_name;
        co_return result;
    }
    result.server = Endpoint{*address, url->port};
    net::HttpLimits limits = limits_of_answer;
    limits.whole =
        std::max(chrono::duration_cast<Milliseconds>(deadline - Clock::now()), Milliseconds(1));
    const auto sent = system_clock::now();
    const auto answer = co_await net::http_fetch(request_to(*url, *result.server), limits);
    const auto received = system_clock::now();
    if (!answer) {
        result.portal = Portal::no_answer;
        result.detail = answer.error().text;
        result.mute = answer.error().mute && limits.whole >= fair_patience;
        co_return result;
    }
    result.status = answer->status;
    result.location = answer->location;
    result.portal = read_answer(*answer, question);
    if (result.portal == Portal::absent) result.skew = read_clock(*answer, sent, received);
    co_return result;
}

}  // namespace p2pdiag::network_plugin
