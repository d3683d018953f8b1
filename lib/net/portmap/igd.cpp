#include "net/portmap/igd.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "net/portmap/soap.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

std::string upper(Transport transport) {
    // Some routers refuse "udp".
    return transport == Transport::udp ? "UDP" : "TCP";
}

std::optional<Transport> parse_any_case(std::string text) {
    for (char& c : text) c = static_cast<char>(c | 0x20);
    return parse_transport(text);
}

std::string text_in(const upnp::Reply& reply, std::string_view name, std::size_t most = 128) {
    const std::string* const text = reply.find(name);
    return text == nullptr ? std::string() : text->substr(0, most);
}

std::optional<IpAddress> address_in(const std::string& text) {
    const auto address = IpAddress::parse(text);
    return address ? std::optional(address->unmapped()) : std::nullopt;
}

// What GetGenericPortMappingEntry and GetSpecificPortMappingEntry have in common.
Outcome<void> read_target(IgdMapping& mapping, const upnp::Reply& reply) {
    const auto port = number_in<std::uint16_t>(reply, "NewInternalPort");
    if (!port) return missing("NewInternalPort");
    mapping.internal_port = *port;
    mapping.internal_address = address_in(text_in(reply, "NewInternalClient"));
    mapping.enabled = flag_in(reply, "NewEnabled").value_or(true);
    mapping.description = text_in(reply, "NewPortMappingDescription");
    mapping.lease = Seconds(number_in<std::uint32_t>(reply, "NewLeaseDuration").value_or(0));
    return {};
}

Outcome<IgdMapping> read_entry(const upnp::Reply& reply) {
    IgdMapping mapping;
    const auto transport = parse_any_case(text_in(reply, "NewProtocol"));
    if (!transport) return missing("NewProtocol");
    const auto port = number_in<std::uint16_t>(reply, "NewExternalPort");
    if (!port) return missing("NewExternalPort");
    mapping.transport = *transport;
    mapping.external_port = *port;
    mapping.remote_host = text_in(reply, "NewRemoteHost");
    const auto target = read_target(mapping, reply);
    if (!target) return target.error();
    return mapping;
}

upnp::Call call_of(std::string action) {
    upnp::Call call;
    call.action = std::move(action);
    return call;
}

// The three arguments that name a mapping, in the order of the standard.
void name_mapping(upnp::Call& call, Transport transport, std::uint16_t external_port) {
    call.arguments.push_back({"NewRemoteHost", ""});
    call.arguments.push_back({"NewExternalPort", std::to_string(external_port)});
    call.arguments.push_back({"NewProtocol", upper(transport)});
}

upnp::Call add_call(std::string action, const Service& service, const MapRequest& request) {
    upnp::Call call = call_of(std::move(action));
    name_mapping(call, request.transport, request.external_port);
    call.arguments.push_back({"NewInternalPort", std::to_string(request.internal_port)});
    call.arguments.push_back({"NewInternalClient", service.local.to_string()});
    call.arguments.push_back({"NewEnabled", "1"});
    call.arguments.push_back({"NewPortMappingDescription", printable(request.description, 48)});
    call.arguments.push_back({"NewLeaseDuration", std::to_string(request.lifetime.count())});
    return call;
}

// Routers without leases say 725, or find fault with the argument (402).
Failure failure_of_add(Failure failure, const MapRequest& request) {
    if (failure.code == 402 && request.lifetime.count() > 0) {
        failure.problem = Problem::permanent_only;
    }
    return failure;
}

std::optional<Failure> unfit(const MapRequest& request) {
    if (request.internal_port != 0 && request.external_port != 0) return std::nullopt;
    return Failure{Problem::failed, 0, "port 0 cannot be mapped: some routers take it for all", {}};
}

MapGrant grant_of(const MapRequest& request, std::uint16_t external_port) {
    MapGrant grant;
    grant.internal_port = request.internal_port;
    grant.external_port = external_port;
    return grant;
}

// Transport problems: asking again for something else would only wait again.
bool was_answered(const Outcome<upnp::Reply>& reply) {
    if (reply) return true;
    const Problem problem = reply.error().problem;
    return problem != Problem::absent && problem != Problem::no_answer &&
           problem != Problem::no_route && problem != Problem::foreign_url;
}

}  // namespace

asio::awaitable<Outcome<IgdStatus>> igd_status(Service service) {
    IgdStatus status;
    const auto external_call = call_of("GetExternalIPAddress");
    const auto external = co_await soap_call(service, external_call);
    if (!was_answered(external)) co_return external.error();
    if (external) {
        status.external_text = text_in(*external, "NewExternalIPAddress", 64);
        status.external = address_in(status.external_text);
    }
    const auto info_call = call_of("GetStatusInfo");
    const auto info = co_await soap_call(service, info_call);
    if (!info && !external) co_return external.error();
    if (info) {
        status.connection = text_in(*info, "NewConnectionStatus", 64);
        const auto uptime = number_in<std::uint32_t>(*info, "NewUptime");
        if (uptime) status.uptime = Seconds(*uptime);
    }
    co_return status;
}

asio::awaitable<Outcome<IgdMappings>> igd_mappings(Service service, unsigned most,
                                                   Milliseconds longest) {
    IgdMappings mappings;
    const TimePoint end = Clock::now() + longest;
    std::optional<upnp::Reply> last;
    for (unsigned index = 0; index < most && Clock::now() < end; ++index) {
        auto call = call_of("GetGenericPortMappingEntry");
        call.arguments.push_back({"NewPortMappingIndex", std::to_string(index)});
        auto reply = co_await soap_call(service, call);
        if (!reply) {
            const bool end_of_list = reply.error().problem == Problem::not_found;
            if (index == 0 && !end_of_list) co_return reply.error();
            mappings.complete = mappings.complete && end_of_list;
            co_return mappings;
        }
        // A router that gives the same entry for every index has told what it will tell.
        const auto same = [](const upnp::Argument& a, const upnp::Argument& b) {
            return a.name == b.name && a.value == b.value;
        };
        const bool again = last && std::equal(last->values.begin(), last->values.end(),
                                              reply->values.begin(), reply->values.end(), same);
        if (again) break;
        auto entry = read_entry(*reply);
        if (entry) {
            mappings.entries.push_back(std::move(*entry));
        } else {
            mappings.complete = false;
        }
        last = std::move(*reply);
    }
    mappings.complete = false;
    co_return mappings;
}

asio::awaitable<Outcome<IgdMapping>> igd_mapping(Service service, Transport transport,
                                                 std::uint16_t external_port) {
    auto call = call_of("GetSpecificPortMappingEntry");
    name_mapping(call, transport, external_port);
    const auto reply = co_await soap_call(service, call);
    if (!reply) co_return reply.error();
    IgdMapping mapping;
    mapping.transport = transport;
    mapping.external_port = external_port;
    const auto read = read_target(mapping, *reply);
    if (!read) co_return read.error();
    co_return mapping;
}

asio::awaitable<Outcome<MapGrant>> igd_add(Service service, MapRequest request) {
    if (const auto problem = unfit(request)) co_return *problem;
    const auto call = add_call("AddPortMapping", service, request);
    const auto reply = co_await soap_call(service, call);
    if (!reply) co_return failure_of_add(reply.error(), request);
    co_return grant_of(request, request.external_port);
}

asio::awaitable<Outcome<MapGrant>> igd_add_any(Service service, MapRequest request) {
    if (const auto problem = unfit(request)) co_return *problem;
    const auto call = add_call("AddAnyPortMapping", service, request);
    const auto reply = co_await soap_call(service, call);
    if (!reply) co_return failure_of_add(reply.error(), request);
    const auto port = number_in<std::uint16_t>(*reply, "NewReservedPort");
    if (!port || *port == 0) co_return missing("NewReservedPort");
    co_return grant_of(request, *port);
}

asio::awaitable<Outcome<void>> igd_delete(Service service, Transport transport,
                                          std::uint16_t external_port) {
    auto call = call_of("DeletePortMapping");
    name_mapping(call, transport, external_port);
    const auto reply = co_await soap_call(service, call);
    if (!reply) co_return reply.error();
    co_return Outcome<void>();
}

}  // namespace p2pdiag::net::portmap
