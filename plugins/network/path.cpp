// network.path: docs/checks/network.path.md. Here is what is measured, and for how long.
#include "path.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <p2pdiag/run_until.hpp>

#include "base/run_input.hpp"
#include "checks.hpp"
#include "input.hpp"
#include "net/deadline.hpp"
#include "net/echo.hpp"
#include "net/interfaces.hpp"
#include "net/routes.hpp"
#include "net/stun_targets.hpp"
#include "net/task_group.hpp"
#include "path_probe.hpp"

namespace p2pdiag::network_plugin {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// Two servers tell a bad path from a bad server.
constexpr std::size_t most_targets = 2;
// Where no server is known yet; the whole must fit into three seconds.
constexpr Milliseconds target_patience = 800ms;
// Hops that are pinged besides the gateway.
constexpr int pinged_hops = 3;
// What Ethernet carries; beyond, nothing on the internet is.
constexpr unsigned largest_mtu = 1500;

using PathPtr = std::shared_ptr<FamilyPath>;

// From what stun.nat has seen answering: an array of {"address": "1.2.3.4:3478", "rtt_ms": …}.
std::vector<Endpoint> known_targets(const json::object& input, std::string_view family) {
    std::vector<Endpoint> targets;
    const json::object* needs = json::find_object(input, "needs");
    const json::object* nat = needs == nullptr ? nullptr : json::find_object(*needs, "stun.nat");
    const json::object* data = nat == nullptr ? nullptr : json::find_object(*nat, "data");
    const json::object* part = data == nullptr ? nullptr : json::find_object(*data, family);
    const json::array* servers = part == nullptr ? nullptr : json::find_array(*part, "servers");
    if (servers == nullptr) return targets;
    for (const json::value& server : *servers) {
        if (!server.is_object()) continue;
        const json::value* rtt = json::find(server.get_object(), "rtt_ms");
        const auto text = json::find_string(server.get_object(), "address");
        const auto endpoint = text ? Endpoint::parse(*text) : std::nullopt;
        if (rtt == nullptr || !endpoint || targets.size() == most_targets) continue;
        // Another port of the same address has the same path.
        const auto same = [&](const Endpoint& one) { return one.address == endpoint->address; };
        if (std::none_of(targets.begin(), targets.end(), same)) targets.push_back(*endpoint);
    }
    return targets;
}

unsigned link_mtu(const Endpoint& server) {
    const auto route = net::route_to(server.address);
    const auto links = net::interfaces();
    if (!route || !links) return largest_mtu;
    for (const net::Interface& link : *links) {
        if (link.index == route->interface && link.mtu != 0) return std::min(link.mtu, largest_mtu);
    }
    return largest_mtu;
}

PingedHost read(const IpAddress& address, net::PingResult result) {
    PingedHost host{address, {result.sent, std::move(result.round_trips)}, {}};
    if (result.error) {
        host.why_not = net::EchoSocket::not_permitted(*result.error) ? "not-permitted"
                                                                     : result.error->message();
    }
    return host;
}

asio::awaitable<void> ping_gateway(PathPtr path, IpAddress gateway, int interface) {
    net::PingPlan plan;
    auto result = co_await net::ping(gateway, interface, plan);
    path->gateway = read(gateway, std::move(result));
}

asio::awaitable<void> ping_hop(PathPtr path, std::size_t index) {
    const IpAddress router = *path->hops[index].hop.router;
    net::PingPlan plan;
    plan.count = 8;
    auto result = co_await net::ping(router, 0, plan);
    path->hops[index].pinged = read(router, std::move(result));
}

asio::awaitable<void> trace_path(PathPtr path, Endpoint server) {
    net::TracePlan plan;
    const auto hops = co_await net::trace(server, plan, nullptr);
    for (const net::Hop& hop : hops) path->hops.push_back({hop, std::nullopt});
    net::TaskGroup pings(co_await asio::this_coro::executor);
    int pinged = 0;
    for (std::size_t i = 0; i < path->hops.size() && pinged < pinged_hops; ++i) {
        const net::Hop& hop = path->hops[i].hop;
        // The gateway is pinged already, and the server answers STUN.
        const bool known = path->gateway && path->gateway->address == hop.router;
        if (!hop.router || hop.destination || known || hop.ttl == 1) continue;
        ++pinged;
        pings.spawn(ping_hop(path, i));
    }
    co_await pings.wait();
}

asio::awaitable<void> find_targets(std::vector<std::string> servers, Family family,
                                   std::shared_ptr<std::vector<Endpoint>> into) {
    *into = co_await net::stun_targets(std::move(servers), family);
}

asio::awaitable<void> measure_family(PathPtr path, std::vector<Endpoint> known,
                                     std::vector<std::string> servers) {
    const auto route = net::route_to_internet(path->family);
    if (route) path->route = route->has_value();
    if (path->route == false) {
        path->finished = true;
        co_return;
    }
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    if (route && (*route)->gateway) {
        tasks.spawn(ping_gateway(path, *(*route)->gateway, (*route)->interface));
    }
    const auto targets = std::make_shared<std::vector<Endpoint>>(std::move(known));
    if (targets->empty()) {
        auto finding = find_targets(std::move(servers), path->family, targets);
        co_await net::in_time(Clock::now() + target_patience, std::move(finding));
    }
    if (targets->size() > most_targets) targets->resize(most_targets);
    for (const Endpoint& server : *targets) {
        PathTarget target;
        target.server = server;
        target.mtu.link_mtu = link_mtu(server);
        path->targets.push_back(target);
    }
    for (PathTarget& target : path->targets) {
        tasks.spawn(probe_target(std::shared_ptr<PathTarget>(path, &target)));
    }
    if (!targets->empty()) tasks.spawn(trace_path(path, targets->front()));
    co_await tasks.wait();
    path->finished = true;
}

asio::awaitable<void> measure_path(PathPtr v4, PathPtr v6, json::object input) {
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    const auto servers = stun_servers(input);
    tasks.spawn(measure_family(v4, known_targets(input, "ipv4"), servers));
    tasks.spawn(measure_family(v6, known_targets(input, "ipv6"), servers));
    co_await tasks.wait();
}

}  // namespace

p2pdiag_status check_path(Run& run) {
    const auto v4 = std::make_shared<FamilyPath>();
    const auto v6 = std::make_shared<FamilyPath>();
    v6->family = Family::ipv6;
    run_until(run.cancel_fd(), run.time_to_stop(), measure_path(v4, v6, read_input(run)));
    return hand_over(run, judge(PathReport{*v4, *v6}));
}

}  // namespace p2pdiag::network_plugin
