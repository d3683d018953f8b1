// The check upnp.gateways: docs/checks/upnp.gateways.md.
#include "gateways.hpp"

#include <p2pdiag/run_until.hpp>

#include "base/run_input.hpp"
#include "checks.hpp"
#include "net/flow.hpp"
#include "net/interfaces.hpp"
#include "own_forwards_ask.hpp"
#include "search.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

std::vector<IpAddress> own_addresses() {
    std::vector<IpAddress> all;
    const auto interfaces = net::interfaces();
    if (!interfaces) return all;
    for (const net::Interface& interface : *interfaces) {
        for (const net::InterfaceAddress& own : interface.addresses) all.push_back(own.address);
    }
    return all;
}

boost::asio::awaitable<void> look_around(std::shared_ptr<OwnForwards> session) {
    const std::shared_ptr<Search> search(session, &session->search);
    co_await search_all_routers(search);
    co_await ask_for_own(session);
}

}  // namespace

p2pdiag_status check_gateways(Run& run) {
    const net::FlowWatch flows = net::watch_flows(run);
    const auto session = std::make_shared<OwnForwards>();
    const auto input = json::parse(run.input());
    if (input && input->is_object()) {
        session->search.target_port = target_port(input->get_object());
        session->search.seen = SeenByStun::from_input(input->get_object());
        session->forwards = own_forwards(input->get_object());
    }
    session->search.own_addresses = own_addresses();
    run_until(run.cancel_fd(), run.time_to_stop(), look_around(session));
    return hand_over(run, judge_gateways(session->search, session->forwards));
}

}  // namespace p2pdiag::upnp_plugin
