// Routers that do not exist, as a search would have found them.
#pragma once

#include "gateways.hpp"

namespace p2pdiag::upnp_plugin::made_up {

inline const IpAddress router_address = *IpAddress::parse("192.168.1.1");
inline const IpAddress local_address = *IpAddress::parse("192.168.1.7");
inline const IpAddress public_address = *IpAddress::parse("203.0.113.7");

inline IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

inline portmap::Failure failure(portmap::Problem problem, int code = 0, std::string text = {}) {
    return {problem, code, std::move(text), std::nullopt};
}

inline portmap::PortControlStatus natpmp_status(std::optional<IpAddress> external,
                                                std::uint32_t epoch = 1000) {
    portmap::PortControlStatus status;
    status.external_address = external;
    status.epoch = epoch;
    status.rtt = std::chrono::microseconds(400);
    return status;
}

// A default gateway that answers to nothing.
inline portmap::GatewayReport gateway(IpAddress address = router_address) {
    portmap::GatewayReport report;
    report.address = address;
    report.interface = 2;
    report.interface_name = "eth0";
    report.local = local_address;
    report.preferred = true;
    report.natpmp = failure(portmap::Problem::absent);
    report.pcp = failure(portmap::Problem::no_answer);
    return report;
}

inline portmap::IgdMapping mapping(std::uint16_t port, const char* internal,
                                   std::string description = "game",
                                   Transport transport = Transport::udp) {
    portmap::IgdMapping made;
    made.transport = transport;
    made.external_port = port;
    made.internal_address = IpAddress::parse(internal);
    made.internal_port = port;
    made.description = std::move(description);
    made.lease = portmap::Seconds(600);
    return made;
}

// A UPnP router in order, on the way to the internet.
inline portmap::IgdReport igd(std::optional<IpAddress> external = public_address,
                              IpAddress address = router_address) {
    portmap::IgdReport report;
    report.answer.from = address;
    report.answer.port = 1900;
    report.answer.interface = 2;
    report.answer.local = local_address;
    report.answer.location = "http://" + address.to_string() + ":5000/rootDesc.xml";
    report.after = Milliseconds(10);
    report.on_gateway = true;
    report.preferred = true;
    portmap::IgdDescription about;
    about.location = report.answer.location;
    about.manufacturer = "ACME";
    about.model_name = "Router 9";
    about.udn = "uuid:" + address.to_string();
    about.version = 1;
    portmap::Service service;
    service.protocol = portmap::Protocol::upnp;
    service.router = address;
    service.interface = 2;
    service.local = local_address;
    service.control_url = "http://" + address.to_string() + ":5000/ctl";
    service.service_type = "urn:schemas-upnp-org:service:WANIPConnection:1";
    service.udn = about.udn;
    about.mapping = service;
    report.description = about;
    portmap::IgdStatus status;
    status.connection = "Connected";
    status.uptime = portmap::Seconds(1000);
    status.external = external;
    if (external) status.external_text = external->to_string();
    report.status = status;
    report.mappings = portmap::IgdMappings{};
    return report;
}

inline portmap::IgdStatus& status_of(portmap::IgdReport& report) { return **report.status; }
inline portmap::IgdDescription& about(portmap::IgdReport& report) { return **report.description; }

// A television: answers the search, maps nothing.
inline portmap::IgdReport television() {
    portmap::IgdReport report = igd(std::nullopt, ip("192.168.1.50"));
    report.on_gateway = report.preferred = false;
    about(report).mapping.reset();
    about(report).version = 0;
    about(report).model_name = "TV";
    report.status.reset();
    report.mappings.reset();
    return report;
}

inline Search search(std::vector<portmap::IgdReport> igds = {},
                     portmap::GatewayReport one = gateway()) {
    Search made;
    made.found.gateways.push_back(std::move(one));
    made.found.igds = std::move(igds);
    made.found.took = Milliseconds(300);
    return made;
}

inline SeenByStun seen(IpAddress address = public_address) {
    SeenByStun stun;
    stun.addresses = {address};
    stun.behind_nat = true;
    return stun;
}

inline std::vector<std::string> codes(const Judgement& judgement) {
    std::vector<std::string> all;
    for (const Finding& finding : judgement.findings) all.push_back(finding.code);
    return all;
}

inline const Finding* find(const Judgement& judgement, std::string_view code) {
    for (const Finding& finding : judgement.findings) {
        if (finding.code == code) return &finding;
    }
    return nullptr;
}

}  // namespace p2pdiag::upnp_plugin::made_up
