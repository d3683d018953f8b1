#include "taking_back.hpp"

#include "failures.hpp"
#include "offers.hpp"
#include "rediscover.hpp"
#include "router_identity.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

using portmap::Outcome;
using portmap::Service;

namespace {

asio::awaitable<Outcome<void>> remove_here_or_where_it_is_now(
    Try one, std::optional<portmap::MapGrant> grant) {
    auto removed = co_await portmap::remove_mapping(one.service, one.request, grant);
    if (removed || !may_have_moved(one.service, removed.error())) co_return removed;
    const auto moved = co_await find_again(one.service);
    if (!moved) co_return removed;
    const Service there = asked_from_here(*moved, one.service);
    co_return co_await portmap::remove_mapping(there, one.request, grant);
}

// Another network card has the router's address. It may be the router's own: then it has the name
// that UPnP knew the router by.
asio::awaitable<Outcome<void>> remove_by_name(Try one, std::optional<portmap::MapGrant> grant) {
    const portmap::Failure elsewhere{
        portmap::Problem::no_route, 0, "another router has its address in this network", {}};
    const auto found = co_await find_by_name(one.service);
    if (!found) co_return elsewhere;
    const Service there = asked_from_here(*found, one.service);
    co_return co_await portmap::remove_mapping(there, one.request, grant);
}

// Not by another router that happens to have the address: it would say that there is nothing.
asio::awaitable<Outcome<void>> remove_there(Try one, Attempt attempt) {
    const auto another = [&] {
        return is_another(attempt.router_hardware, hardware_of(one.service));
    };
    if (!another()) {
        const auto removed = co_await remove_here_or_where_it_is_now(one, attempt.grant);
        // Its address on the link may not have been known before it was asked.
        if (!removed || !another()) co_return removed;
    }
    co_return co_await remove_by_name(one, attempt.grant);
}

}  // namespace

TakingBack::TakingBack(StepInput all) : input(std::move(all)) {
    // Each attempt is on disk before its router is asked: without a record nothing was.
    if (input.record) left = input.record->attempts;
}

void TakingBack::forget(std::size_t index) {
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(index));
    if (on_less) on_less(left);
}

asio::awaitable<void> take_back(std::shared_ptr<TakingBack> session) {
    std::size_t next = 0;
    while (next < session->left.size()) {
        const Attempt attempt = session->left[next];
        Try one = try_of(session->input.step, attempt);
        one.request.description = describe_as(session->input.id);
        const auto removed = co_await remove_there(one, attempt);
        if (removed) {
            session->gone.push_back(forward_words(one));
            session->forget(next);
            continue;
        }
        const std::string what = forward_words(one) + ": " + words(removed.error());
        if (lease_is_over(attempt, one, now_in_seconds())) {
            session->notes.push_back(what + "; its time is over, so the router has forgotten it");
            session->forget(next);
            continue;
        }
        session->problems.push_back(what);
        ++next;
    }
}

std::string forward_words(const Try& made) {
    return port_words(made.request.transport, made.request.external_port) + " by " +
           std::string(display_name(made.service.protocol)) + " of " + made.router_name;
}

}  // namespace p2pdiag::upnp_plugin
