// The check upnp.target: docs/checks/upnp.target.md.
#include <algorithm>
#include <p2pdiag/run_until.hpp>

#include "base/run_input.hpp"
#include "checks.hpp"
#include "forward_input.hpp"
#include "net/flow.hpp"
#include "target.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

bool is_proven(const OpenForward& forward, std::uint16_t port) {
    const auto made = forward.made_by();
    return made && made->request.transport == Transport::udp &&
           made->request.internal_port == port && forward.verified &&
           forward.verified->method == "packet";
}

}  // namespace

p2pdiag_status check_target(Run& run) {
    const net::FlowWatch flows = net::watch_flows(run);
    const auto facts = std::make_shared<TargetFacts>();
    std::vector<std::string> servers;
    facts->port = target_port(run.input());
    const auto input = json::parse(run.input());
    if (input && input->is_object()) {
        const json::object& given = input->get_object();
        servers = stun_servers(given);
        const SeenByStun seen = SeenByStun::from_input(given);
        if (!seen.addresses.empty()) facts->behind_nat = seen.behind_nat;
        facts->full_cone = seen.full_cone;
        const auto open = parse_open(given, "changes");
        facts->proven_earlier = std::ranges::any_of(
            open, [&](const OpenForward& one) { return is_proven(one, facts->port); });
    }
    if (facts->behind_nat) {
        const ProofOrder order{servers, Family::ipv4, facts->port, facts->port, nullptr, true};
        const std::shared_ptr<OutsideProof> proof(facts, &facts->proof);
        const Ended ended =
            run_until(run.cancel_fd(), run.time_to_stop(), prove_from_outside(order, proof));
        facts->interrupted = ended == Ended::cancelled;
    }
    return hand_over(run, judge_target(*facts));
}

}  // namespace p2pdiag::upnp_plugin
