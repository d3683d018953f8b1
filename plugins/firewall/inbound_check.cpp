// firewall.inbound on this machine: docs/checks/firewall.inbound.md.
#include "checks.hpp"
#include "guards.hpp"
#include "inbound.hpp"
#include "input.hpp"

namespace p2pdiag::firewall {

p2pdiag_status check_inbound(Run& run) {
    const World world = look_around(run);
    const auto all = ask_inbound(world, find_entrances(world), {.port = read_input(run).port});
    const Listeners listeners = read_listeners(world, all, Clock::now() + time_for_listeners);
    Judgement judgement = judge_inbound(world, all, listeners);
    judge_guards(read_guards(sight_of_this_machine(run.deadline(), run.cancel_fd()), world),
                 judgement);
    return hand_over(run, judgement);
}

}  // namespace p2pdiag::firewall
