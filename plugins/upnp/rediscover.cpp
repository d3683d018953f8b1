#include "rediscover.hpp"

#include <utility>

#include "search.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

bool is_unchanged(const portmap::Service& now, const portmap::Service& old) {
    return now.router == old.router && now.control_url == old.control_url &&
           now.service_type == old.service_type && now.local == old.local;
}

// Whoever has another name is another one.
bool is_at_its_address(const portmap::Service& now, const portmap::Service& old) {
    return now.router == old.router && (now.udn.empty() || old.udn.empty());
}

template <class Predicate>
std::optional<portmap::Service> find_of_kind(const Search& search, const portmap::Service& old,
                                             Predicate is_it) {
    const bool pinhole = !old.local.is_v4();
    for (const Offer& offer : offers(search.found, search.ipv6)) {
        if (offer.pinhole != pinhole || offer.service.protocol != old.protocol) continue;
        if (is_it(offer.service)) return offer.service;
    }
    return std::nullopt;
}

}  // namespace

std::optional<portmap::Service> find_by_name_in(const Search& search, const portmap::Service& old) {
    if (old.udn.empty()) return std::nullopt;
    return find_of_kind(search, old,
                        [&](const portmap::Service& now) { return now.udn == old.udn; });
}

std::optional<portmap::Service> find_in(const Search& search, const portmap::Service& old) {
    if (const auto named = find_by_name_in(search, old)) {
        return is_unchanged(*named, old) ? std::nullopt : named;
    }
    return find_of_kind(search, old, [&](const portmap::Service& now) {
        return is_at_its_address(now, old) && !is_unchanged(now, old);
    });
}

std::optional<portmap::Service> stands_for(const Search& search, const portmap::Service& old) {
    if (const auto named = find_by_name_in(search, old)) return named;
    return find_of_kind(search, old,
                        [&](const portmap::Service& now) { return is_at_its_address(now, old); });
}

portmap::Service asked_from_here(portmap::Service now, const portmap::Service& old) {
    if (now.local != old.local) now.from = std::exchange(now.local, old.local);
    return now;
}

boost::asio::awaitable<std::optional<portmap::Service>> find_again(portmap::Service old) {
    const auto search = std::make_shared<Search>();
    co_await search_routers(search);
    co_return find_in(*search, old);
}

boost::asio::awaitable<std::optional<portmap::Service>> find_by_name(portmap::Service old) {
    if (old.udn.empty()) co_return std::nullopt;
    const auto search = std::make_shared<Search>();
    co_await search_routers(search);
    co_return find_by_name_in(*search, old);
}

bool may_have_moved(const portmap::Service& service, const portmap::Failure& failure) {
    using portmap::Problem;
    const bool silent = failure.problem == Problem::absent ||
                        failure.problem == Problem::no_answer ||
                        failure.problem == Problem::no_route;
    // NAT-PMP and PCP have one port for good: the router itself has moved, if it has.
    if (service.protocol != portmap::Protocol::upnp) return silent && !service.udn.empty();
    // HTTP's Not Found, Method Not Allowed and Gone, whatever problem that counts as.
    const bool http_error = failure.code == 404 || failure.code == 405 || failure.code == 410;
    return silent || http_error;
}

}  // namespace p2pdiag::upnp_plugin
