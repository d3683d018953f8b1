// stun.servers: docs/checks/stun.servers.md.
#include "servers.hpp"

#include <p2pdiag/run_until.hpp>

#include "checks.hpp"
#include "net/flow.hpp"
#include "net/routes.hpp"

namespace p2pdiag::stun_plugin {

namespace {

using namespace std::chrono_literals;

std::optional<bool> has_internet_route(Family family) {
    const auto route = net::route_to_internet(family);
    if (!route) return std::nullopt;
    return route->has_value();
}

}  // namespace

p2pdiag_status check_servers(Run& run) {
    const net::FlowWatch flows = net::watch_flows(run);
    const json::array configured = configured_servers(read_input(run.input()));
    const auto report = std::make_shared<ServersReport>();
    for (ServerName& name : parse_servers(configured)) {
        ServerReport server;
        server.name = std::move(name);
        report->servers.push_back(std::move(server));
    }
    if (report->servers.empty()) {
        run.summary("No STUN server is configured");
        return P2PDIAG_SKIP;
    }
    if (configured.size() > max_servers) report->left_out = configured.size() - max_servers;
    report->internet_v4 = has_internet_route(Family::ipv4);
    report->internet_v6 = has_internet_route(Family::ipv6);

    const Ended ended = run_until(run.cancel_fd(), run.time_to_stop(), probe_servers(report));
    if (ended != Ended::finished) report->interrupted = true;

    return hand_over(run, judge(*report));
}

}  // namespace p2pdiag::stun_plugin
