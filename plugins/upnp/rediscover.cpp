#include "rediscover.hpp"

#include "search.hpp"

namespace p2pdiag::upnp_plugin {

boost::asio::awaitable<std::optional<portmap::Service>> find_again(portmap::Service old) {
    const auto search = std::make_shared<Search>();
    co_await search_routers(search);
    const bool pinhole = !old.local.is_v4();
    for (const Offer& offer : offers(search->found, search->ipv6)) {
        if (offer.pinhole != pinhole || offer.service.protocol != old.protocol) continue;
        if (offer.service.router != old.router) continue;
        const bool same = offer.service.control_url == old.control_url &&
                          offer.service.service_type == old.service_type;
        if (!same) co_return offer.service;
    }
    co_return std::nullopt;
}

bool may_have_moved(const portmap::Service& service, const portmap::Failure& failure) {
    using portmap::Problem;
    if (service.protocol != portmap::Protocol::upnp) return false;
    // 404 and the like come as `failed` with the HTTP status.
    const bool http_error =
        failure.problem == Problem::failed && failure.code >= 400 && failure.code < 500;
    return failure.problem == Problem::absent || failure.problem == Problem::no_answer ||
           http_error;
}

}  // namespace p2pdiag::upnp_plugin
