// The change upnp.forward, revert: removes what apply() made, or may have made before it was ended
// by force.
#include <p2pdiag/run_until.hpp>
#include <utility>

#include "checks.hpp"
#include "failures.hpp"
#include "forward_input.hpp"
#include "offers.hpp"
#include "rediscover.hpp"
#include "router_identity.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

struct Reverting {
    StepInput input;
    std::vector<Attempt> attempts;  // to be taken back
    std::size_t done = 0;
    std::vector<std::string> problems;
};

// Where it is asked now. The mapping leads to the address that this machine had then.
boost::asio::awaitable<std::optional<portmap::Service>> where_it_is_now(portmap::Service old) {
    auto found = co_await find_again(old);
    if (found && found->local != old.local) found->from = std::exchange(found->local, old.local);
    co_return found;
}

boost::asio::awaitable<portmap::Outcome<void>> remove(Try one,
                                                      std::optional<portmap::MapGrant> grant) {
    auto removed = co_await portmap::remove_mapping(one.service, one.request, grant);
    if (removed || !may_have_moved(one.service, removed.error())) co_return removed;
    const auto moved = co_await where_it_is_now(one.service);
    if (moved) removed = co_await portmap::remove_mapping(*moved, one.request, grant);
    co_return removed;
}

// Not by another router that happens to have the address: it would say that there is nothing.
boost::asio::awaitable<portmap::Outcome<void>> remove_there(Try one, Attempt attempt) {
    const auto another = [&] {
        return is_another(attempt.router_hardware, hardware_of(one.service));
    };
    const portmap::Failure elsewhere{
        portmap::Problem::no_route, 0, "another router has its address in this network", {}};
    if (another()) co_return elsewhere;
    const auto removed = co_await remove(one, attempt.grant);
    // Its address on the link may not have been known before it was asked.
    if (removed && another()) co_return elsewhere;
    co_return removed;
}

boost::asio::awaitable<void> revert(Run* run, std::shared_ptr<Reverting> session) {
    for (const Attempt& attempt : session->attempts) {
        Try one = session->input.step.tries[attempt.index];
        one.request.description = describe_as(session->input.id);
        const auto removed = co_await remove_there(one, attempt);
        ++session->done;
        if (removed) continue;
        const std::string what = port_words(one.request.transport, one.request.external_port) +
                                 " by " + std::string(display_name(one.service.protocol)) + " of " +
                                 one.router_name + ": " + words(removed.error());
        if (lease_is_over(attempt, one, now_in_seconds())) {
            run->log("info", what + "; its time is over, so the router has forgotten it");
            continue;
        }
        session->problems.push_back(what);
    }
}

}  // namespace

p2pdiag_status revert_forward(Run& run) {
    auto input = parse_step_input(run.input());
    if (!input) {
        run.summary("The step is not one of ours");
        return P2PDIAG_ERROR;
    }
    const auto session = std::make_shared<Reverting>();
    session->input = std::move(*input);
    // Each attempt is on disk before its router is asked: without a record nothing was.
    if (session->input.record) session->attempts = session->input.record->attempts;
    const Ended ended = run_until(run.cancel_fd(), run.time_to_stop(), revert(&run, session));
    if (ended != Ended::finished && session->done < session->attempts.size()) {
        run.summary(
            "The forward may still be there: " +
            std::string(ended == Ended::cancelled ? "interrupted" : "the router took too long"));
        return P2PDIAG_FAIL;
    }
    if (!session->problems.empty()) {
        run.summary("The forward may still be there. " + session->problems.front());
        return P2PDIAG_FAIL;
    }
    run.summary(session->attempts.empty() ? "There was nothing to take back"
                                          : "The router no longer forwards the port");
    return P2PDIAG_PASS;
}

}  // namespace p2pdiag::upnp_plugin
