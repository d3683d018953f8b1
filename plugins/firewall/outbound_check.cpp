// firewall.outbound and firewall.punching on this machine: docs/checks/firewall.outbound.md and
// docs/checks/firewall.punching.md.
#include "checks.hpp"
#include "outbound.hpp"

namespace p2pdiag::firewall {

p2pdiag_status check_outbound(Run& run) {
    const World world = look_around(run);
    const auto resolvers = resolvers_of(net::resolver_setup());
    return hand_over(run, judge_outbound(world, errands(read_input(run), resolvers)));
}

p2pdiag_status check_punching(Run& run) {
    return hand_over(run, judge_punching(look_around(run), read_input(run).port));
}

}  // namespace p2pdiag::firewall
