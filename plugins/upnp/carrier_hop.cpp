#include "carrier_hop.hpp"

#include "net/stun_targets.hpp"
#include "net/trace.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

bool is_carrier(const net::Hop& hop) {
    return hop.router && hop.router->scope() == AddressScope::carrier_grade;
}

}  // namespace

asio::awaitable<std::optional<IpAddress>> find_carrier_hop(std::vector<std::string> stun_servers) {
    const auto targets = co_await net::stun_targets(std::move(stun_servers), Family::ipv4);
    if (targets.empty()) co_return std::nullopt;
    net::TracePlan plan;
    // The first router is one's own.
    plan.nearest = 2;
    plan.furthest = 5;
    plan.rounds = 1;
    const auto hops = co_await net::trace(targets.front(), plan, is_carrier);
    for (const net::Hop& hop : hops) {
        if (is_carrier(hop)) co_return hop.router;
    }
    co_return std::nullopt;
}

}  // namespace p2pdiag::upnp_plugin
