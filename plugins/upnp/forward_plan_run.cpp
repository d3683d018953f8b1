// The change upnp.forward, plan: looks for routers and for what they forward already.
#include <boost/asio/this_coro.hpp>
#include <p2pdiag/run_until.hpp>

#include "carrier_hop.hpp"
#include "checks.hpp"
#include "forward_input.hpp"
#include "forward_plan.hpp"
#include "net/task_group.hpp"
#include "rediscover.hpp"
#include "router_identity.hpp"
#include "search.hpp"
#include "test_record.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

struct Planning {
    PlanInput input;
    Situation situation;
};

const Offer* find_offer(const std::vector<Offer>& all, const std::string& control_url) {
    for (const Offer& offer : all) {
        if (!offer.pinhole && offer.service.control_url == control_url) return &offer;
    }
    return nullptr;
}

asio::awaitable<void> look_up(std::shared_ptr<Planning> session) {
    Situation& situation = session->situation;
    const auto all = offers(situation.search.found, situation.search.ipv6);
    // Once for the wanted port, and once for those that could take its place.
    for (int round = 0; round < 2; ++round) {
        const auto missing = lookups_to_make(session->input.wanted, situation);
        for (const Lookup& wanted : missing) {
            const Offer* offer = find_offer(all, wanted.control_url);
            if (offer == nullptr) continue;
            Lookup made = wanted;
            auto holder = co_await portmap::igd_mapping(offer->service, wanted.transport,
                                                        wanted.external_port);
            if (holder) {
                made.holder = std::move(*holder);
            } else {
                made.known = holder.error().problem == portmap::Problem::not_found;
            }
            situation.lookups.push_back(std::move(made));
        }
    }
}

asio::awaitable<void> check_open(std::shared_ptr<Planning> session) {
    for (OpenForward& open : session->situation.open) {
        if (open.step.request().internal_port != session->input.wanted.port) continue;
        const Attempt* made = open.record ? open.record->granted() : nullptr;
        if (made == nullptr) continue;
        const Try one = try_of(open.step, *made);
        portmap::MapRequest request = one.request;
        request.description = describe_as(open.id);
        open.lease_is_over = lease_is_over(*made, one, now_in_seconds());
        const auto said = co_await portmap::read_back(one.service, request, *made->grant);
        open.in_force = said.in_force;
        // Its address on the link is known now that it was asked. With the name that it had it is
        // the same one with another network card.
        const Search& search = session->situation.search;
        open.router_is_another = is_another(made->router_hardware, hardware_of(one.service)) &&
                                 !find_by_name_in(search, one.service);
    }
}

// Only where no router tells an outside address: it tells why a forward may be of no use.
asio::awaitable<void> look_for_carrier(std::shared_ptr<Planning> session) {
    Situation& situation = session->situation;
    if (situation.search.found.gateways.empty()) co_return;
    for (const Offer& offer : offers(situation.search.found, situation.search.ipv6)) {
        if (!offer.pinhole && offer.ready && offer.external) co_return;
    }
    situation.search.seen.carrier_hop = co_await find_carrier_hop(session->input.stun_servers);
}

asio::awaitable<void> find_out(std::shared_ptr<Planning> session) {
    const std::shared_ptr<Search> search(session, &session->situation.search);
    co_await search_patiently(search);
    co_await check_open(session);
    co_await look_up(session);
    co_await look_for_carrier(session);
}

}  // namespace

p2pdiag_status plan_forward(Run& run) {
    auto input = parse_plan_input(run.input());
    if (!input) {
        run.summary("The host handed over arguments that cannot be");
        return P2PDIAG_ERROR;
    }
    const auto session = std::make_shared<Planning>();
    session->input = std::move(*input);
    session->situation.open = session->input.open;
    if (const auto directory = test_record_dir()) {
        session->situation.test_ids = test_ids(*directory);
    }
    const Ended ended = run_until(run.cancel_fd(), run.time_to_stop(), find_out(session));
    if (ended == Ended::cancelled) {
        run.summary("Interrupted");
        return P2PDIAG_UNKNOWN;
    }
    const NonceSource nonces = portmap::random_nonce;
    return hand_over(run, make_plan(session->input.wanted, session->situation, nonces));
}

}  // namespace p2pdiag::upnp_plugin
