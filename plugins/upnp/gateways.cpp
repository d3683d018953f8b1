// The check upnp.gateways: docs/checks/upnp.gateways.md.
#include "gateways.hpp"

#include <p2pdiag/run_until.hpp>

#include "checks.hpp"
#include "net/flow.hpp"
#include "search.hpp"

namespace p2pdiag::upnp_plugin {

p2pdiag_status check_gateways(Run& run) {
    const net::FlowWatch flows([&run](const net::Flow& flow) { run.flow(to_members(flow)); });
    const auto search = std::make_shared<Search>();
    const auto input = json::parse(run.input());
    if (input && input->is_object()) search->seen = SeenByStun::from_input(input->get_object());
    run_until(run.cancel_fd(), run.time_to_stop(), search_all_routers(search));
    return report(run, judge_gateways(*search));
}

}  // namespace p2pdiag::upnp_plugin
