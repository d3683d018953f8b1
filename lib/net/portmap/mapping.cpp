#include "net/portmap/mapping.hpp"

#include <utility>

#include "net/portmap/igd.hpp"
#include "net/portmap/port_control.hpp"
#include "net/portmap/upnp_mapping.hpp"
#include "wire/pcp/message.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

enum class Way { table, pinhole, port_control };

Way way_of(const Service& service) {
    if (service.protocol != Protocol::upnp) return Way::port_control;
    const bool firewall = service.service_type.find("WANIPv6FirewallControl") != std::string::npos;
    return firewall ? Way::pinhole : Way::table;
}

// RFC 6335 section 6: below are the system ports.
constexpr std::uint16_t first_free_port = 1024;

// For taking back what may have been made although no good answer came.
RetrySchedule one_try() { return {{Milliseconds(250)}}; }

// PCP's UNSUPP_OPTION.
bool knows_no_option(const Failure& failure) {
    return failure.code == static_cast<int>(pcp::ResultCode::unsupp_option);
}

bool is_port_problem(const Outcome<MapGrant>& made) {
    return !made && made.error().problem == Problem::port_not_available;
}

// Asks, and takes back what may be there after silence or an answer that made no sense.
asio::awaitable<Outcome<MapGrant>> ask_once(Service service, MapRequest request) {
    const auto made = co_await port_control_map(service, request);
    if (made) co_return made;
    const Problem problem = made.error().problem;
    const RetrySchedule schedule = one_try();
    if (problem == Problem::malformed || problem == Problem::no_answer) {
        co_await port_control_unmap(service, request, schedule);
    }
    co_return made;
}

asio::awaitable<Outcome<MapGrant>> add_exactly(Service service, MapRequest request) {
    auto made = co_await ask_once(service, request);
    if (!made && service.protocol == Protocol::pcp && knows_no_option(made.error())) {
        request.exact = false;
        made = co_await ask_once(service, request);
    }
    if (!made || made->external_port == request.external_port) co_return made;
    const RetrySchedule schedule = one_try();
    co_await port_control_unmap(service, request, schedule);
    co_return Failure{Problem::port_not_available,
                      0,
                      "the router offers external port " + std::to_string(made->external_port) +
                          " instead of " + std::to_string(request.external_port),
                      {}};
}

// Routers keep the low ports for themselves, and a PCP server that may give any other port looks
// through all of them, one by one: miniupnpd goes from 80 to 1024. So it is asked for that port or
// nothing (RFC 6887 section 13.2), then so for one that is likely to be free. Only when it gives
// neither it is asked for whichever it has, as where a provider gives its customers a few ports
// each; but not for a low port of this machine: where that is what it refuses, it would go through
// all 65535 in vain, and answer nobody meanwhile.
asio::awaitable<Outcome<MapGrant>> add_low_port(Service service, MapRequest request) {
    const std::uint16_t wanted = request.external_port;
    const RetrySchedule schedule = one_try();
    for (int i = 0; i < 2; ++i) {
        MapRequest only = request;
        only.exact = true;
        const auto made = co_await ask_once(service, only);
        if (!made && knows_no_option(made.error())) break;
        const bool last = i == 1 && request.internal_port < first_free_port;
        if (last && is_port_problem(made)) {
            Failure failure = made.error();
            failure.text += ", neither for external port " + std::to_string(wanted) + " nor for " +
                            std::to_string(only.external_port);
            co_return failure;
        }
        if (last || !is_port_problem(made)) co_return made;
        // By an earlier request, whose answer was lost, it may have another port.
        co_await port_control_unmap(service, only, schedule);
        request.external_port = random_port();
    }
    co_return co_await ask_once(service, request);
}

asio::awaitable<Outcome<MapGrant>> port_control_add(Service service, MapRequest request) {
    const bool pinhole = !service.local.is_v4();
    if (pinhole) request.external_port = request.internal_port;
    const bool low = request.external_port > 0 && request.external_port < first_free_port;
    const bool any = !request.exact && !pinhole && service.protocol == Protocol::pcp;
    if (low && any) co_return co_await add_low_port(service, request);
    if (request.exact && request.external_port != 0)
        co_return co_await add_exactly(service, request);
    co_return co_await ask_once(service, request);
}

asio::awaitable<Outcome<MapGrant>> renew_pinhole(Service service, MapRequest request,
                                                 MapGrant grant) {
    if (grant.pinhole_id) {
        const auto updated =
            co_await igd_update_pinhole(service, *grant.pinhole_id, request.lifetime);
        if (updated) {
            grant.lifetime = pinhole_lease(request.lifetime);
            co_return grant;
        }
        if (updated.error().problem != Problem::not_found) co_return updated.error();
    }
    co_return co_await igd_add_pinhole(service, request);
}

asio::awaitable<Outcome<void>> remove_pinhole(Service service, MapRequest request,
                                              std::optional<MapGrant> grant) {
    std::optional<std::uint16_t> id;
    if (grant) id = grant->pinhole_id;
    if (!id) {
        // Pinholes cannot be listed. WANIPv6FirewallControl:1, AddPinhole: one that is there
        // already is kept, and its id is the answer.
        request.lifetime = Seconds(1);
        const auto found = co_await igd_add_pinhole(service, request);
        if (!found) co_return found.error();
        id = found->pinhole_id;
    }
    const auto removed = co_await igd_delete_pinhole(service, id.value());
    if (removed || removed.error().problem == Problem::not_found) co_return Outcome<void>();
    co_return removed;
}

asio::awaitable<ReadBack> read_back_pinhole(Service service, MapGrant grant) {
    ReadBack result;
    if (!grant.pinhole_id) co_return result;
    const auto working = co_await igd_pinhole_working(service, *grant.pinhole_id);
    if (working) {
        result.in_force = InForce::yes;
        if (!*working) result.detail = "no packet has come through it yet";
    } else if (working.error().problem == Problem::not_found) {
        result.in_force = InForce::no;
    } else {
        result.detail = working.error().text;
    }
    co_return result;
}

}  // namespace

asio::awaitable<Outcome<MapGrant>> add_mapping(Service service, MapRequest request) {
    switch (way_of(service)) {
        case Way::table: co_return co_await upnp_add(service, request);
        case Way::pinhole: co_return co_await igd_add_pinhole(service, request);
        case Way::port_control: break;
    }
    co_return co_await port_control_add(service, request);
}

asio::awaitable<Outcome<MapGrant>> renew_mapping(Service service, MapRequest request,
                                                 MapGrant grant) {
    switch (way_of(service)) {
        case Way::table: co_return co_await upnp_renew(service, request, grant);
        case Way::pinhole: co_return co_await renew_pinhole(service, request, grant);
        case Way::port_control: break;
    }
    // RFC 6887 section 11.2.1: what was assigned is what to suggest when renewing.
    request.external_port = grant.external_port;
    request.exact = false;
    co_return co_await port_control_map(service, request);
}

asio::awaitable<Outcome<void>> remove_mapping(Service service, MapRequest request,
                                              std::optional<MapGrant> grant) {
    switch (way_of(service)) {
        case Way::table: co_return co_await upnp_remove(service, request, grant);
        case Way::pinhole: co_return co_await remove_pinhole(service, request, grant);
        case Way::port_control: break;
    }
    co_return co_await port_control_unmap(service, request);
}

asio::awaitable<ReadBack> read_back(Service service, MapRequest request, MapGrant grant) {
    switch (way_of(service)) {
        case Way::table: co_return co_await upnp_read_back(service, request, grant);
        case Way::pinhole: co_return co_await read_back_pinhole(service, grant);
        case Way::port_control: break;
    }
    ReadBack result;
    result.detail = std::string(to_string(service.protocol)) + " cannot tell what is mapped";
    co_return result;
}

}  // namespace p2pdiag::net::portmap
