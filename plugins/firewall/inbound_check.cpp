// firewall.inbound on this machine: docs/checks/firewall.inbound.md.
#include "checks.hpp"
#include "guards.hpp"
#include "inbound.hpp"
#include "input.hpp"

namespace p2pdiag::firewall {

p2pdiag_status check_inbound(Run& run) {
    const World world = look_around(run);
    Judgement judgement = judge_inbound(world, read_input(run).port);
    judge_guards(read_guards(sight_of_this_machine(run.deadline(), run.cancel_fd()), world),
                 judgement);
    return hand_over(run, judgement);
}

}  // namespace p2pdiag::firewall
