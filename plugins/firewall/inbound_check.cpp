// firewall.inbound on this machine: docs/checks/firewall.inbound.md.
#include "checks.hpp"
#include "inbound.hpp"
#include "readers.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr std::uint16_t usual_port = 8000;  // as the default profile has it

// So that the report still gets out before the host ends the run.
constexpr std::chrono::milliseconds time_to_report{200};

std::uint16_t target_port(const json::value& input) {
    const json::object* object = input.if_object();
    const json::object* target = object == nullptr ? nullptr : json::find_object(*object, "target");
    const auto port = target == nullptr ? std::nullopt : json::find_integer(*target, "port");
    return port && *port >= 1 && *port <= 65535 ? static_cast<std::uint16_t>(*port) : usual_port;
}

}  // namespace

p2pdiag_status check_inbound(Run& run) {
    const auto input = json::parse(run.input());
    auto deadline = run.deadline();
    if (deadline != decltype(deadline)::max()) deadline -= time_to_report;
    const World world = read_world(sight_of_this_machine(deadline, run.cancel_fd()));
    const Judgement judgement = judge_inbound(world, input ? target_port(*input) : usual_port);
    for (const Finding& finding : judgement.findings) {
        run.finding(finding.code, finding.severity, finding.message,
                    json::to_text(finding.evidence));
    }
    run.data(json::to_text(judgement.data));
    run.summary(judgement.summary);
    return judgement.status;
}

}  // namespace p2pdiag::firewall
