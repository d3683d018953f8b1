#include "mapping_trials.hpp"

#include <boost/asio/this_coro.hpp>

#include "net/udp_socket.hpp"
#include "outside.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

// What a router keeps should all else fail: two minutes.
constexpr portmap::Seconds test_lease{120};

asio::awaitable<void> try_one(std::shared_ptr<MappingSession> session, std::size_t index) {
    Trial& trial = session->test.trials[index];
    const auto executor = co_await asio::this_coro::executor;
    // Held for as long as the mapping is there, so that nobody is let in to a program.
    std::optional<net::UdpSocket> held;
    const Family family = trial.offer.service.local.family();
    const auto is_free = [&](std::uint16_t port) {
        auto opened = net::UdpSocket::open(executor, family, port);
        if (!opened) return false;
        held.emplace(std::move(*opened));
        return true;
    };
    const std::uint16_t port = choose_port(trial.offer, Transport::udp, session->test.target_port,
                                           session->search->found, is_free);
    if (port == 0) co_return;
    Try asked;
    asked.service = trial.offer.service;
    asked.router_name = trial.offer.router_name;
    asked.request.internal_port = port;
    asked.request.external_port = port;
    asked.request.lifetime = test_lease;
    // This machine may be switched off in the middle of it, and no journal knows of it.
    asked.request.lease_only = true;
    asked.request.nonce = portmap::random_nonce();
    asked.request.description = describe_as(session->id);
    trial.asked = asked;
    auto granted = co_await portmap::add_mapping(asked.service, asked.request);
    trial.granted = std::move(granted);
    if (!*trial.granted) co_return;
    const portmap::MapGrant grant = **trial.granted;
    trial.read_back = co_await portmap::read_back(asked.service, asked.request, grant);
    trial.removed = co_await portmap::remove_mapping(asked.service, asked.request, grant);
}

}  // namespace

void choose_trials(MappingSession& session) {
    session.test.unread = unread_router(session.search->found);
    for (Offer& offer : offers(session.search->found, session.search->ipv6)) {
        const bool usable = offer.ready && (offer.pinhole ||
                                            judge_outside(offer.external, {}) != Outside::unusable);
        if (usable) {
            session.test.trials.push_back({std::move(offer), {}, {}, {}, {}});
        } else {
            session.test.not_ready.push_back(std::move(offer));
        }
    }
}

asio::awaitable<void> run_trials(std::shared_ptr<MappingSession> session) {
    for (std::size_t i = 0; i < session->test.trials.size(); ++i) co_await try_one(session, i);
    session->test.complete = true;
}

asio::awaitable<void> clean_up(std::shared_ptr<MappingSession> session) {
    for (Trial& trial : session->test.trials) {
        const bool refused =
            trial.granted && !*trial.granted && says_no(trial.granted->error().problem);
        const bool gone = trial.removed && *trial.removed;
        if (!trial.asked || refused || gone) continue;
        std::optional<portmap::MapGrant> grant;
        if (trial.granted && *trial.granted) grant = **trial.granted;
        const Try& made = *trial.asked;
        trial.removed = co_await portmap::remove_mapping(made.service, made.request, grant);
    }
}

}  // namespace p2pdiag::upnp_plugin
