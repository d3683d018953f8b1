#include "own_forwards_ask.hpp"

#include "forward_input.hpp"
#include "net/interfaces.hpp"
#include "rediscover.hpp"
#include "router_identity.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

using portmap::Protocol;

namespace {

std::optional<std::uint32_t> epoch_of(const Search& search, const portmap::Service& service) {
    for (const portmap::GatewayReport& gateway : search.found.gateways) {
        if (gateway.address != service.router) continue;
        if (service.interface != 0 && gateway.interface != service.interface) continue;
        const auto& said = service.protocol == Protocol::pcp ? gateway.pcp : gateway.natpmp;
        if (said && *said) return (**said).epoch;
    }
    return std::nullopt;
}

// Who stands where its router stood, and whether that is the same one.
void recognise(OwnForward& forward, const Search& search) {
    const Attempt& attempt = *forward.open.attempt();
    const portmap::Service old = forward.open.made_by()->service;
    const bool named = find_by_name_in(search, old).has_value();
    const auto there = stands_for(search, old);
    if (!there) return;
    const std::string hardware = hardware_of(*there);
    if (!named && is_another(attempt.router_hardware, hardware)) return;
    forward.router = *there;
    forward.router_is_here = true;
    forward.router_is_known = named || (!hardware.empty() && hardware == attempt.router_hardware);
}

asio::awaitable<void> ask_for_one(std::shared_ptr<OwnForwards> session, std::size_t index) {
    OwnForward& forward = session->forwards[index];
    const auto made = forward.open.made_by();
    if (!made) co_return;
    forward.address_is_ours = net::is_own_address(made->service.local);
    recognise(forward, session->search);
    if (!forward.router_is_here) co_return;
    if (made->service.protocol != Protocol::upnp) {
        forward.epoch = epoch_of(session->search, *forward.router);
        co_return;
    }
    portmap::MapRequest request = made->request;
    request.description = describe_as(forward.open.id);
    portmap::MapGrant grant;
    grant.internal_port = request.internal_port;
    grant.external_port = request.external_port;
    if (const auto& granted = forward.open.attempt()->grant) grant = *granted;
    const portmap::Service service = asked_from_here(*forward.router, made->service);
    forward.said = co_await portmap::read_back(service, request, grant);
}

}  // namespace

std::vector<OwnForward> own_forwards(const json::object& input) {
    std::vector<OwnForward> all;
    for (OpenForward& open : parse_open(input, "changes")) {
        if (all.size() == most_own_forwards) break;
        OwnForward forward;
        forward.open = std::move(open);
        forward.now = now_in_seconds();
        all.push_back(std::move(forward));
    }
    return all;
}

asio::awaitable<void> ask_for_own(std::shared_ptr<OwnForwards> session) {
    for (std::size_t i = 0; i < session->forwards.size(); ++i) co_await ask_for_one(session, i);
}

}  // namespace p2pdiag::upnp_plugin
