#include "rediscover.hpp"

#include "search.hpp"

namespace p2pdiag::upnp_plugin {

std::optional<portmap::Service> find_in(const Search& search, const portmap::Service& old) {
    const bool pinhole = !old.local.is_v4();
    for (const Offer& offer : offers(search.found, search.ipv6)) {
        if (offer.pinhole != pinhole || offer.service.protocol != old.protocol) continue;
        if (offer.service.router != old.router) continue;
        const bool same = offer.service.control_url == old.control_url &&
                          offer.service.service_type == old.service_type &&
                          offer.service.local == old.local;
        if (!same) return offer.service;
    }
    return std::nullopt;
}

boost::asio::awaitable<std::optional<portmap::Service>> find_again(portmap::Service old) {
    const auto search = std::make_shared<Search>();
    co_await search_routers(search);
    co_return find_in(*search, old);
}

bool may_have_moved(const portmap::Service& service, const portmap::Failure& failure) {
    using portmap::Problem;
    if (service.protocol != portmap::Protocol::upnp) return false;
    // HTTP's Not Found, Method Not Allowed and Gone, whatever problem that counts as.
    const bool http_error = failure.code == 404 || failure.code == 405 || failure.code == 410;
    return failure.problem == Problem::absent || failure.problem == Problem::no_answer ||
           failure.problem == Problem::no_route || http_error;
}

}  // namespace p2pdiag::upnp_plugin
