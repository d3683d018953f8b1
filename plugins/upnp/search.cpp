#include "search.hpp"

#include "net/routes.hpp"

namespace p2pdiag::upnp_plugin {

std::optional<IpAddress> public_ipv6() {
    const auto route = net::route_to_internet(Family::ipv6);
    if (!route || !*route || !(*route)->source || !(*route)->source->is_public()) {
        return std::nullopt;
    }
    return (*route)->source;
}

namespace {

boost::asio::awaitable<void> search_within(std::shared_ptr<Search> search,
                                           portmap::DiscoveryLimits limits) {
    search->complete = false;
    search->ipv6 = public_ipv6();
    const std::shared_ptr<portmap::Discovered> found(search, &search->found);
    co_await portmap::discover(found, limits);
    search->complete = true;
}

}  // namespace

boost::asio::awaitable<void> search_routers(std::shared_ptr<Search> search) {
    return search_within(std::move(search), portmap::DiscoveryLimits());
}

boost::asio::awaitable<void> search_all_routers(std::shared_ptr<Search> search) {
    portmap::DiscoveryLimits limits;
    limits.listen = limits.answered;
    // Who has the program's port stands in its list, and each entry of that is a question.
    limits.reading = limits.answered;
    return search_within(std::move(search), limits);
}

boost::asio::awaitable<void> search_and_read(std::shared_ptr<Search> search) {
    portmap::DiscoveryLimits limits;
    limits.reading = Milliseconds(20'000);
    return search_within(std::move(search), limits);
}

boost::asio::awaitable<void> search_patiently(std::shared_ptr<Search> search) {
    portmap::DiscoveryLimits limits;
    limits.patience = limits.window;
    return search_within(std::move(search), limits);
}

}  // namespace p2pdiag::upnp_plugin
