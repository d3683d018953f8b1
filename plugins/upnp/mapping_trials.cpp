#include "mapping_trials.hpp"

#include <boost/asio/this_coro.hpp>

#include "net/udp_socket.hpp"
#include "outside.hpp"
#include "router_identity.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

// On the disk, for whoever runs next.
void note_down(MappingSession& session) {
    if (!session.record) return;
    Step step;
    Record record;
    for (const Trial& trial : session.test.trials) {
        if (!trial.may_be_there() || step.tries.size() == most_tries) continue;
        Attempt attempt{step.tries.size(), trial.asked_at, std::nullopt};
        if (trial.granted && *trial.granted) attempt.grant = **trial.granted;
        attempt.router_hardware = hardware_of(trial.asked->service);
        record.attempts.push_back(std::move(attempt));
        step.tries.push_back(*trial.asked);
    }
    session.record->write(step, record);
}

asio::awaitable<void> try_one(std::shared_ptr<MappingSession> session, std::size_t index) {
    Trial& trial = session->test.trials[index];
    const auto executor = co_await asio::this_coro::executor;
    // Held for as long as the mapping is there, so that nobody is let in to a program.
    std::shared_ptr<net::UdpSocket> held;
    const Family family = trial.offer.service.local.family();
    const auto is_free = [&](std::uint16_t port) {
        auto opened = net::UdpSocket::open(executor, family, port);
        if (!opened) return false;
        held = std::make_shared<net::UdpSocket>(std::move(*opened));
        return true;
    };
    const std::uint16_t port = choose_port(trial.offer, Transport::udp, session->test.target_port,
                                           session->search->found, is_free);
    if (port == 0) co_return;
    Try asked;
    asked.service = trial.offer.service;
    asked.interface_name = trial.offer.interface_name;
    asked.router_name = trial.offer.router_name;
    asked.request.internal_port = port;
    asked.request.external_port = port;
    asked.request.lifetime = test_lease;
    // This machine may be switched off in the middle of it, and never come back to this router.
    asked.request.lease_only = true;
    asked.request.nonce = portmap::random_nonce();
    asked.request.description = describe_as(session->id);
    trial.asked = asked;
    trial.asked_at = now_in_seconds();
    note_down(*session);
    auto granted = co_await portmap::add_mapping(asked.service, asked.request);
    trial.granted = std::move(granted);
    note_down(*session);
    if (!*trial.granted) co_return;
    const portmap::MapGrant grant = **trial.granted;
    const ProofOrder order{session->stun_servers, family, port, grant.external_port, held};
    trial.proof.emplace();
    const std::shared_ptr<OutsideProof> proof(session, &*trial.proof);
    co_await prove_from_outside(order, proof);
    trial.read_back = co_await portmap::read_back(asked.service, asked.request, grant);
    trial.removed = co_await portmap::remove_mapping(asked.service, asked.request, grant);
    note_down(*session);
}

}  // namespace

void choose_trials(MappingSession& session) {
    session.test.unread = unread_router(session.search->found);
    for (Offer& offer : offers(session.search->found, session.search->ipv6)) {
        const bool usable = offer.ready && (offer.pinhole ||
                                            judge_outside(offer.external, {}) != Outside::unusable);
        if (usable) {
            Trial& trial = session.test.trials.emplace_back();
            trial.offer = std::move(offer);
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
        if (!trial.may_be_there()) continue;
        std::optional<portmap::MapGrant> grant;
        if (trial.granted && *trial.granted) grant = **trial.granted;
        const Try& made = *trial.asked;
        trial.removed = co_await portmap::remove_mapping(made.service, made.request, grant);
        note_down(*session);
    }
}

}  // namespace p2pdiag::upnp_plugin
