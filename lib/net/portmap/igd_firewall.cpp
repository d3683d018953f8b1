#include <algorithm>
#include <utility>

#include "net/portmap/igd.hpp"
#include "net/portmap/soap.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

// WANIPv6FirewallControl:1: LeaseTime is 1 to 86400 seconds; there is no permanent one.
constexpr Seconds longest_lease{86400};

std::string protocol_number(Transport transport) {
    // IANA protocol numbers, as WANIPv6FirewallControl:1 wants them.
    return transport == Transport::udp ? "17" : "6";
}

upnp::Call call_about(std::string action, std::uint16_t id) {
    upnp::Call call;
    call.action = std::move(action);
    call.arguments.push_back({"UniqueID", std::to_string(id)});
    return call;
}

// WANIPv6FirewallControl:1 has 704 for an id that is not there. miniupnpd says 402, invalid
// arguments, and ours are valid but for that.
Failure failure_about_id(Failure failure) {
    if (failure.code == 402) failure.problem = Problem::not_found;
    return failure;
}

}  // namespace

Seconds pinhole_lease(Seconds wanted) {
    return wanted.count() <= 0 ? longest_lease : std::min(wanted, longest_lease);
}

asio::awaitable<Outcome<FirewallStatus>> igd_firewall_status(Service service) {
    upnp::Call call;
    call.action = "GetFirewallStatus";
    const auto reply = co_await soap_call(service, call);
    if (!reply) co_return reply.error();
    const auto enabled = flag_in(*reply, "FirewallEnabled");
    if (!enabled) co_return missing("FirewallEnabled");
    const auto allowed = flag_in(*reply, "InboundPinholeAllowed");
    if (!allowed) co_return missing("InboundPinholeAllowed");
    FirewallStatus status;
    status.enabled = *enabled;
    status.inbound_allowed = *allowed;
    co_return status;
}

asio::awaitable<Outcome<MapGrant>> igd_add_pinhole(Service service, MapRequest request) {
    const Seconds lease = pinhole_lease(request.lifetime);
    upnp::Call call;
    call.action = "AddPinhole";
    // Empty and 0: any.
    call.arguments.push_back({"RemoteHost", ""});
    call.arguments.push_back({"RemotePort", "0"});
    call.arguments.push_back({"InternalClient", service.local.to_string()});
    call.arguments.push_back({"InternalPort", std::to_string(request.internal_port)});
    call.arguments.push_back({"Protocol", protocol_number(request.transport)});
    call.arguments.push_back({"LeaseTime", std::to_string(lease.count())});
    const auto reply = co_await soap_call(service, call);
    if (!reply) co_return reply.error();
    const auto id = number_in<std::uint16_t>(*reply, "UniqueID");
    if (!id) co_return missing("UniqueID");
    MapGrant grant;
    grant.internal_port = request.internal_port;
    grant.external_port = request.internal_port;
    grant.external_address = service.local;
    // A router that gives less has no way to say so.
    grant.lifetime = lease;
    grant.pinhole_id = *id;
    co_return grant;
}

asio::awaitable<Outcome<void>> igd_update_pinhole(Service service, std::uint16_t id,
                                                  Seconds lifetime) {
    auto call = call_about("UpdatePinhole", id);
    call.arguments.push_back({"NewLeaseTime", std::to_string(pinhole_lease(lifetime).count())});
    const auto reply = co_await soap_call(service, call);
    if (!reply) co_return failure_about_id(reply.error());
    co_return Outcome<void>();
}

asio::awaitable<Outcome<void>> igd_delete_pinhole(Service service, std::uint16_t id) {
    const auto call = call_about("DeletePinhole", id);
    const auto reply = co_await soap_call(service, call);
    if (!reply) co_return failure_about_id(reply.error());
    co_return Outcome<void>();
}

asio::awaitable<Outcome<bool>> igd_pinhole_working(Service service, std::uint16_t id) {
    // WANIPv6FirewallControl:1, CheckPinholeWorking: NoPacketSent.
    constexpr int no_packet_yet = 709;
    const auto call = call_about("CheckPinholeWorking", id);
    const auto reply = co_await soap_call(service, call);
    if (!reply && reply.error().code == no_packet_yet) co_return false;
    if (!reply) co_return failure_about_id(reply.error());
    const auto working = flag_in(*reply, "IsWorking");
    if (!working) co_return missing("IsWorking");
    co_return *working;
}

}  // namespace p2pdiag::net::portmap
