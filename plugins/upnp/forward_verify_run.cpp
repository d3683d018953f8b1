// The change upnp.forward, verify: a packet from outside where that can be had, and the router's
// list.
#include <p2pdiag/run_until.hpp>

#include "checks.hpp"
#include "forward_input.hpp"
#include "forward_verify.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

boost::asio::awaitable<void> find_out(std::shared_ptr<VerifyFacts> facts, ProofOrder order) {
    if (facts->made.request.transport == Transport::udp) {
        facts->proof.emplace();
        const std::shared_ptr<OutsideProof> proof(facts, &*facts->proof);
        co_await prove_from_outside(order, proof);
    }
    facts->read_back =
        co_await portmap::read_back(facts->made.service, facts->made.request, facts->grant);
}

}  // namespace

p2pdiag_status verify_forward(Run& run) {
    const auto input = parse_step_input(run.input());
    const Attempt* attempt = input && input->record ? input->record->granted() : nullptr;
    if (attempt == nullptr) {
        run.summary("There is no record of a forward to verify");
        return P2PDIAG_ERROR;
    }
    const auto facts = std::make_shared<VerifyFacts>();
    facts->made = try_of(input->step, *attempt);
    facts->made.request.description = describe_as(input->id);
    facts->grant = *attempt->grant;
    const ProofOrder order{input->stun_servers, input->step.family(), facts->grant.internal_port,
                           facts->grant.external_port, nullptr};
    facts->interrupted =
        run_until(run.cancel_fd(), run.time_to_stop(), find_out(facts, order)) == Ended::cancelled;
    return hand_over(run, judge_forward(*facts));
}

}  // namespace p2pdiag::upnp_plugin
