// Asks all servers at once, and knows when it has waited long enough.
#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "icmp_heard.hpp"
#include "net/routes.hpp"
#include "net/task_group.hpp"
#include "net/udp_socket.hpp"
#include "servers.hpp"

namespace p2pdiag::stun_plugin {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// A resolver tries a dead name server for five seconds before it asks the next one. Whoever waits
// for a diagnosis does not.
constexpr Milliseconds lookup_limit = 3000ms;
// With one TCP SYN repeated, which Linux does after a second.
constexpr Milliseconds stream_limit = 1500ms;
// Once UDP answers, the rest is told only if it comes soon: a lookup of the other family …
constexpr Milliseconds lookup_grace = 500ms;
// … and TCP and TLS, which need up to four round trips.
constexpr Milliseconds stream_grace = 400ms;
constexpr int stream_round_trips = 6;

// What all probes of one run share.
struct Shared {
    Shared(std::shared_ptr<ServersReport> to, const asio::any_io_executor& executor)
        : report(std::move(to)), tasks(executor) {}

    std::shared_ptr<ServersReport> report;
    std::shared_ptr<net::RoundTrips> seen = std::make_shared<net::RoundTrips>();
    std::shared_ptr<net::TlsContext> tls = net::make_tls_context();
    net::TaskGroup tasks;
    TimePoint start = Clock::now();
    TimePoint last_stream_start = start;
    TimePoint last_udp_end = start;
    unsigned lookups = 0;  // under way
    unsigned udp = 0;      // under way
    bool udp_answers = false;
};

using SharedPtr = std::shared_ptr<Shared>;

// Keeps the whole report alive.
template <class T>
std::shared_ptr<T> part_of(const std::shared_ptr<ServersReport>& report, T& part) {
    return {report, &part};
}

asio::awaitable<void> probe_udp(SharedPtr shared, std::shared_ptr<TransportReport> into,
                                Endpoint server) {
    const auto executor = co_await asio::this_coro::executor;
    auto opened = net::UdpSocket::open(executor, server.address.family());
    net::BindingResult result;
    result.server = server;
    if (opened) {
        const auto socket = std::make_shared<net::UdpSocket>(std::move(*opened));
        net::UdpSchedule schedule;
        // TCP is waited for as long, so that it costs nothing.
        schedule.unseen_tail = stream_limit - (schedule.sends - 1) * schedule.interval;
        result = co_await net::udp_binding(socket, server, shared->seen, schedule);
    } else {
        result.outcome = net::Outcome::local_error;
        result.detail = opened.error().message();
    }
    --shared->udp;
    shared->last_udp_end = Clock::now();
    if (result.outcome == net::Outcome::ok) shared->udp_answers = true;
    into->result = std::move(result);
}

asio::awaitable<void> probe_tcp(SharedPtr shared, std::shared_ptr<TransportReport> into,
                                Endpoint server) {
    into->result = co_await net::tcp_binding(server, Clock::now() + stream_limit);
    if (into->result->rtt) shared->seen->add(*into->result->rtt);
}

asio::awaitable<void> probe_tls(std::shared_ptr<TransportReport> into, Endpoint server,
                                std::string host, std::shared_ptr<net::TlsContext> context) {
    const TimePoint deadline = Clock::now() + stream_limit;
    into->result = co_await net::tls_binding(server, host, context, deadline);
}

void start_probes(const SharedPtr& shared, const ServerName& name, FamilyReport& family) {
    const IpAddress address = family.addresses.front();
    const auto report = shared->report;
    if (name.port) {
        const Endpoint server{address, *name.port};
        family.udp.asked = family.tcp.asked = true;
        ++shared->udp;
        shared->tasks.spawn(probe_udp(shared, part_of(report, family.udp), server));
        shared->tasks.spawn(probe_tcp(shared, part_of(report, family.tcp), server));
    }
    if (name.tls_port) {
        const Endpoint server{address, *name.tls_port};
        family.tls.asked = true;
        shared->tasks.spawn(probe_tls(part_of(report, family.tls), server, name.host, shared->tls));
    }
    shared->last_stream_start = Clock::now();
}

// Not for want of an address of the family, or of the family itself.
bool says_no(const ErrorCode& error) {
    return error != boost::system::errc::address_not_available &&
           error != boost::system::errc::address_family_not_supported;
}

asio::awaitable<void> probe_family(SharedPtr shared, std::size_t index, Family which) {
    ServerReport& server = shared->report->servers[index];
    FamilyReport& family = which == Family::ipv4 ? server.ipv4 : server.ipv6;
    auto addresses = co_await net::resolve(server.name.host, which, shared->start + lookup_limit);
    --shared->lookups;
    if (!addresses) {
        const ErrorCode error = addresses.error();
        family.lookup_error = error.category() == net::resolve_category()
                                  ? static_cast<net::ResolveError>(error.value())
                                  : net::ResolveError::failed;
        co_return;
    }
    family.addresses = std::move(*addresses);
    const std::uint16_t port = server.name.port.value_or(stun::default_port);
    const auto source = net::source_address({family.addresses.front(), port});
    // Any other trouble shows, and is named, in the probes.
    const bool refused = !source && net::is_no_route(source.error());
    family.refused_by_routes = refused && says_no(source.error());
    // A rule of `ip rule` may refuse one protocol or port alone.
    family.no_route = refused && !net::route_to(family.addresses.front());
    if (!family.no_route) start_probes(shared, server.name, family);
}

// Until when what is still under way is worth waiting for, as things stand.
TimePoint wait_limit(const Shared& shared) {
    if (shared.udp > 0 || !shared.udp_answers) return TimePoint::max();
    const auto round_trips = stream_round_trips * shared.seen->longest();
    const auto streams =
        shared.last_stream_start + std::max<Clock::duration>(stream_grace, round_trips);
    if (shared.lookups == 0) return streams;
    return std::max(streams, shared.last_udp_end + lookup_grace);
}

}  // namespace

asio::awaitable<void> probe_servers(std::shared_ptr<ServersReport> report) {
    const auto executor = co_await asio::this_coro::executor;
    const auto shared = std::make_shared<Shared>(report, executor);
    const auto heard = std::make_shared<Heard>();
    net::TaskGroup aside(executor);
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        aside.spawn(hear_icmp(heard, family));
    }
    for (std::size_t i = 0; i < report->servers.size(); ++i) {
        if (report->servers[i].name.host.empty()) continue;
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            ++shared->lookups;
            shared->tasks.spawn(probe_family(shared, i, family));
        }
    }
    std::exception_ptr problem;
    try {
        while (shared->tasks.running() > 0) {
            const TimePoint limit = wait_limit(*shared);
            if (Clock::now() >= limit) break;
            co_await shared->tasks.wait_for_change(limit);
        }
    } catch (...) {
        problem = std::current_exception();
    }
    // Nothing may go on behind the caller's back.
    co_await asio::this_coro::reset_cancellation_state();
    shared->tasks.cancel();
    aside.cancel();
    co_await shared->tasks.wait();
    co_await aside.wait();
    explain_silence(*report, *heard);
    if (problem) std::rethrow_exception(problem);
}

}  // namespace p2pdiag::stun_plugin
