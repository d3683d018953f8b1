// The change upnp.forward, apply: asks one router after the other until one grants it, or renews
// what a record has. What may have been left in a router is in the record before it is asked for.
#include <algorithm>
#include <p2pdiag/run_until.hpp>

#include "carrier_hop.hpp"
#include "checks.hpp"
#include "failures.hpp"
#include "forward_input.hpp"
#include "leftovers.hpp"
#include "offers.hpp"
#include "outside_proof.hpp"
#include "router_identity.hpp"
#include "step_words.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

using portmap::MapGrant;
using portmap::Outcome;
using portmap::Problem;

// Where the port is taken, and the router may not even list by whom: which others are free it would
// not say either.
std::string other_port(const Try& made, Problem problem) {
    const bool taken = problem == Problem::conflict || problem == Problem::port_not_available;
    const std::uint16_t port = made.request.external_port;
    if (!taken || !made.service.local.is_v4()) return {};
    const unsigned next = port == 65535 ? port - 1U : port + 1U;
    return ". Another external port may be free: add --external " + std::to_string(next) +
           ", or another one. Peers must then be told that port";
}

struct Applying {
    StepInput input;
    Record record;
    Judgement result;
};

void hand_over(Run* run, const Applying& session) {
    run->data(json::to_text(for_host(session.record, session.input.step)));
}

// A grant that is not what was demanded is no success.
Outcome<MapGrant> judge_port(const Try& one, Outcome<MapGrant> granted) {
    const bool other =
        granted && one.request.exact && granted->external_port != one.request.external_port;
    if (!other) return granted;
    portmap::Failure failure;
    failure.problem = Problem::port_not_available;
    failure.text = "it offers external port " + std::to_string(granted->external_port) + " instead";
    return failure;
}

void succeed(Applying& session, const Try& one, const MapGrant& grant) {
    add_grant(session.result, one, grant);
    std::string text = port_words(one.request.transport, grant.external_port) + " of " +
                       one.router_name + " is forwarded by " +
                       std::string(display_name(one.service.protocol));
    if (grant.external_port != one.request.external_port) {
        text += ". Note the port: " + std::to_string(one.request.external_port) +
                " was asked for, and the router gave " + std::to_string(grant.external_port);
    }
    session.result.finish(P2PDIAG_PASS, std::move(text));
}

// Routers refuse when their outside address is not public, and PCP says so only when it is asked.
boost::asio::awaitable<void> explain_refusal(std::shared_ptr<Applying> session) {
    if (session->input.step.pinhole()) co_return;
    const auto hop = co_await find_carrier_hop(session->input.stun_servers);
    if (!hop) co_return;
    const std::string message = "The router will not forward the port, and behind it stands " +
                                hop->to_string() +
                                " in 100.64.0.0/10: two NATs, the second one "
                                "being the provider's. A forward could not be reached from the "
                                "internet";
    const std::string address = hop->to_string();
    json::object evidence{{"carrier_hop", address}};
    session->result.add("nat.double-nat", Severity::warning, message, evidence);
    session->result.finish(P2PDIAG_FAIL, message);
}

// An earlier forward gets its whole time again; renewing makes what the router has lost. When that
// fails it is as it was.
boost::asio::awaitable<void> renew(Run* run, std::shared_ptr<Applying> session) {
    Attempt& attempt = *session->record.granted();
    // Not as it was asked for then: the plan has found out where it is to be asked now.
    Try one = session->input.step.tries[attempt.index];
    one.request.description = describe_as(session->input.id);
    const auto answer = co_await portmap::renew_mapping(one.service, one.request, *attempt.grant);
    const auto renewed = judge_port(one, answer);
    if (answer) {
        attempt.grant = *answer;
        attempt.asked_at = now_in_seconds();
        attempt.router_hardware = hardware_of(one.service);
        attempt.service.reset();
        hand_over(run, *session);
    }
    if (renewed) {
        succeed(*session, one, *renewed);
        co_return;
    }
    add_failure(session->result, one, renewed.error());
    session->result.finish(P2PDIAG_FAIL, session->result.findings.back().message);
}

// A PCP server that gives neither a low port nor another one goes through all ports when it is
// asked by NAT-PMP, which has no word for one port or nothing, and answers nobody meanwhile
// (miniupnpd, a minute).
bool would_search_in_vain(const Try& one, const std::vector<portmap::Service>& refusing) {
    constexpr std::uint16_t first_free_port = 1024;
    const bool low = one.request.internal_port < first_free_port;
    return low && one.service.protocol == portmap::Protocol::natpmp &&
           std::any_of(refusing.begin(), refusing.end(),
                       [&](const portmap::Service& pcp) { return same_router(pcp, one.service); });
}

// What the router does not list is in force where a packet comes in; where that cannot be tried
// there may be another way to have the port forwarded.
boost::asio::awaitable<bool> lets_in(std::vector<std::string> stun_servers, Try one,
                                     MapGrant grant) {
    if (one.request.transport != Transport::udp) co_return false;
    const auto proof = std::make_shared<OutsideProof>();
    const ProofOrder order{std::move(stun_servers), one.service.local.family(), grant.internal_port,
                           grant.external_port, nullptr};
    co_await prove_from_outside(order, proof);
    if (!proof->result) co_return false;
    co_return proof->result->proof == Proof::arrived || proof->result->proof == Proof::stopped_here;
}

boost::asio::awaitable<void> apply(Run* run, std::shared_ptr<Applying> session) {
    const auto leftovers = std::make_shared<Leftovers>();
    co_await remove_leftovers(leftovers);
    for (const std::string& what : leftovers->removed) {
        run->log("info", what + ", left by a run of upnp.mapping that was killed, was removed");
    }
    for (const std::string& what : leftovers->left) {
        run->log("warning", "a run of upnp.mapping that was killed may have left " + what);
    }
    if (session->record.granted() != nullptr) {
        co_await renew(run, session);
        co_return;
    }
    const Step& step = session->input.step;
    std::vector<portmap::Service> refusing;
    for (std::size_t i = 0; i < step.tries.size(); ++i) {
        if (would_search_in_vain(step.tries[i], refusing)) continue;
        Try one = step.tries[i];
        one.request.description = describe_as(session->input.id);
        // What an earlier command may have left by the same way is this one.
        std::erase_if(session->record.attempts,
                      [i](const Attempt& made) { return made.index == i; });
        session->record.attempts.push_back({i, now_in_seconds(), std::nullopt});
        hand_over(run, *session);
        const auto answer = co_await portmap::add_mapping(one.service, one.request);
        session->record.attempts.back().router_hardware = hardware_of(one.service);
        if (answer) {
            session->record.attempts.back().grant = *answer;
            hand_over(run, *session);
        }
        auto granted = judge_port(one, answer);
        if (granted && granted->unlisted) {
            const bool works = co_await lets_in(session->input.stun_servers, one, *granted);
            if (!works) granted = portmap::not_listed();
        }
        if (granted) {
            succeed(*session, one, *granted);
            co_return;
        }
        add_failure(session->result, one, granted.error());
        const Problem problem = granted.error().problem;
        session->result.finish(P2PDIAG_FAIL,
                               session->result.findings.back().message + other_port(one, problem));
        const bool pcp = one.service.protocol == portmap::Protocol::pcp;
        if (pcp && (problem == Problem::port_not_available || problem == Problem::refused)) {
            refusing.push_back(one.service);
        }
        bool gone = !answer && says_no(answer.error().problem);
        if (!gone) {
            const auto& grant = session->record.attempts.back().grant;
            const auto removed = co_await portmap::remove_mapping(one.service, one.request, grant);
            gone = removed.has_value();
            session->record.attempts.back().grant.reset();
        }
        if (gone) session->record.attempts.pop_back();
        hand_over(run, *session);
        // Whoever has the port has it by every protocol.
        if (problem == Problem::conflict) co_return;
    }
    co_await explain_refusal(session);
}

}  // namespace

p2pdiag_status apply_forward(Run& run) {
    auto input = parse_step_input(run.input());
    if (!input) {
        run.summary("The step is not one of ours");
        return P2PDIAG_ERROR;
    }
    const auto session = std::make_shared<Applying>();
    session->input = std::move(*input);
    if (session->input.record) session->record = *session->input.record;
    const Ended ended = run_until(run.cancel_fd(), run.time_to_stop(), apply(&run, session));
    if (ended != Ended::finished) {
        const char* why = ended == Ended::cancelled ? "Interrupted" : "The router took too long";
        session->result.finish(P2PDIAG_FAIL, why);
    }
    // The record is the data; the rest is handed over beside it.
    session->result.data = for_host(session->record, session->input.step);
    return hand_over(run, session->result);
}

}  // namespace p2pdiag::upnp_plugin
