// network.interfaces: docs/checks/network.interfaces.md.
#include "checks.hpp"
#include "links.hpp"
#include "net/routing_tables.hpp"

namespace p2pdiag::network_plugin {

namespace {

p2pdiag_status not_readable(Run& run, const ErrorCode& error) {
    run.summary("The kernel did not tell its network links and routes: " + error.message());
    return P2PDIAG_UNKNOWN;
}

std::vector<std::string> own_rules() {
    std::vector<std::string> texts;
    const auto tables = net::routing_tables();
    if (!tables) return texts;
    for (const auto* rules : {&tables->rules_v4, &tables->rules_v6}) {
        if (!*rules) continue;
        for (const net::RoutingRule& rule : **rules) {
            if (!net::is_usual(rule)) texts.push_back(rule.text());
        }
    }
    return texts;
}

}  // namespace

p2pdiag_status check_interfaces(Run& run) {
    Snapshot machine;
    auto interfaces = net::interfaces();
    if (!interfaces) return not_readable(run, interfaces.error());
    auto routes = net::default_routes();
    if (!routes) return not_readable(run, routes.error());
    machine.interfaces = std::move(*interfaces);
    machine.default_routes = std::move(*routes);
    const auto internet_v4 = net::route_to_internet(Family::ipv4);
    if (!internet_v4) return not_readable(run, internet_v4.error());
    const auto internet_v6 = net::route_to_internet(Family::ipv6);
    if (!internet_v6) return not_readable(run, internet_v6.error());
    machine.internet_v4 = *internet_v4;
    machine.internet_v6 = *internet_v6;

    if (!machine.internet_v4 && !machine.internet_v6) machine.own_rules = own_rules();
    if (auto neighbours = net::neighbours()) machine.neighbours = std::move(*neighbours);
    return hand_over(run, judge(machine));
}

}  // namespace p2pdiag::network_plugin
