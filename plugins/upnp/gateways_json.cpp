// The data member of upnp.gateways; docs/checks/upnp.gateways.md lists it.
#include <algorithm>

#include "gateways.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::GatewayReport;
using portmap::IgdReport;

namespace {

// MX is 1: what comes later than a second and a half was late, and a client that waits less would
// not have seen it.
constexpr Milliseconds late{1500};

json::value to_json(const std::optional<IpAddress>& address) {
    return address ? json::value(address->to_string()) : json::value(nullptr);
}

json::object problem_to_json(const portmap::Failure& failure) {
    json::object object{{"problem", portmap::to_string(failure.problem)},
                        {"code", nullptr},
                        {"text", json::text_or_null(failure.text)}};
    if (failure.code != 0) object["code"] = failure.code;
    if (failure.retry_after) object["retry_after_s"] = failure.retry_after->count();
    return object;
}

json::value control_to_json(
    const std::optional<portmap::Outcome<portmap::PortControlStatus>>& outcome, bool natpmp) {
    if (!outcome) return nullptr;
    if (!*outcome)
        return json::object{{"works", false}, {"why", problem_to_json(outcome->error())}};
    const portmap::PortControlStatus& status = **outcome;
    json::object object{{"works", true},
                        {"epoch_s", status.epoch},
                        {"rtt_ms", static_cast<double>(status.rtt.count()) / 1000.0},
                        {"ignored", status.ignored}};
    if (natpmp) object["external_address"] = to_json(status.external_address);
    return object;
}

json::object gateway_to_json(const GatewayReport& gateway) {
    json::object object{{"address", gateway.address.to_string()},
                        {"interface", gateway.interface_name},
                        {"local", gateway.local.to_string()},
                        {"preferred", gateway.preferred},
                        {"natpmp", nullptr},
                        {"pcp", control_to_json(gateway.pcp, false)}};
    if (gateway.address.is_v4()) object["natpmp"] = control_to_json(gateway.natpmp, true);
    return object;
}

void describe(json::object& object, const portmap::IgdDescription& about) {
    object["igd_version"] = about.version;
    object["friendly_name"] = json::text_or_null(about.friendly_name);
    object["manufacturer"] = json::text_or_null(about.manufacturer);
    object["model"] = json::text_or_null(about.model_name);
    object["model_number"] = json::text_or_null(about.model_number);
    object["udn"] = json::text_or_null(about.udn);
    object["presentation_url"] = json::text_or_null(about.presentation_url);
    if (about.mapping) {
        object["control_url"] = about.mapping->control_url;
        object["service_type"] = about.mapping->service_type;
    }
    if (about.firewall) object["firewall_control_url"] = about.firewall->control_url;
}

void add_mappings(json::object& object, const portmap::IgdMappings& mappings) {
    json::array list;
    for (const portmap::IgdMapping& mapping : mappings.entries) {
        list.push_back(mapping_to_json(mapping));
    }
    object["mappings"] = std::move(list);
    object["mappings_complete"] = mappings.complete;
}

json::object device_to_json(const IgdReport& igd, const SeenByStun& seen) {
    const Endpoint from{igd.answer.from, igd.answer.port};
    json::object object{{"from", from.to_string()},
                        {"location", igd.answer.location},
                        {"server", json::text_or_null(igd.answer.server)},
                        {"after_ms", igd.after.count()},
                        {"late", igd.after > late},
                        {"on_gateway", igd.on_gateway},
                        {"preferred", igd.preferred},
                        {"usable", igd.usable()},
                        {"problems", nullptr}};
    json::object problems;
    const auto note = [&problems](const char* what, const auto& outcome) {
        if (outcome && !*outcome) problems[what] = problem_to_json(outcome->error());
    };
    note("description", igd.description);
    note("status", igd.status);
    note("mappings", igd.mappings);
    note("firewall", igd.firewall);
    if (!problems.empty()) object["problems"] = std::move(problems);
    if (igd.description && *igd.description) describe(object, **igd.description);
    object["connection"] = nullptr;
    object["uptime_s"] = nullptr;
    object["external_address"] = nullptr;
    if (igd.status && *igd.status) {
        const portmap::IgdStatus& status = **igd.status;
        object["connection"] = json::text_or_null(status.connection);
        if (status.uptime) object["uptime_s"] = status.uptime->count();
        object["external_address"] = json::text_or_null(status.external_text);
        object["outside"] = to_string(judge_outside(status.external, seen));
    }
    if (igd.mappings && *igd.mappings) add_mappings(object, **igd.mappings);
    if (igd.firewall && *igd.firewall) {
        object["firewall"] = json::object{{"enabled", (**igd.firewall).enabled},
                                          {"inbound_allowed", (**igd.firewall).inbound_allowed}};
    }
    return object;
}

// As miniupnpd 2.3.1 writes it: "PCP MAP " and the nonce in 24 hexadecimal digits.
constexpr std::string_view nonce_prefix = "PCP MAP ";

}  // namespace

bool shows_pcp_nonce(const portmap::IgdMapping& mapping) {
    if (!mapping.description.starts_with(nonce_prefix)) return false;
    const std::string_view rest = std::string_view(mapping.description).substr(nonce_prefix.size());
    const std::size_t digits = 2 * portmap::PcpNonce().size();
    return rest.substr(0, digits).find_first_not_of("0123456789abcdefABCDEF") ==
               std::string_view::npos &&
           rest.size() >= digits;
}

std::string shown_description(const portmap::IgdMapping& mapping) {
    return shows_pcp_nonce(mapping) ? std::string(nonce_prefix) + "(nonce left out)"
                                    : mapping.description;
}

json::object mapping_to_json(const portmap::IgdMapping& mapping) {
    json::object object{{"protocol", to_string(mapping.transport)},
                        {"external_port", mapping.external_port},
                        {"remote_host", json::text_or_null(mapping.remote_host)},
                        {"internal", nullptr},
                        {"enabled", mapping.enabled},
                        {"description", shown_description(mapping)},
                        {"lease_s", mapping.lease.count()}};
    if (mapping.internal_address) {
        object["internal"] = Endpoint{*mapping.internal_address, mapping.internal_port}.to_string();
    }
    return object;
}

json::object gateways_data(const Search& search) {
    json::array gateways;
    for (const GatewayReport& gateway : search.found.gateways) {
        gateways.push_back(gateway_to_json(gateway));
    }
    json::array devices;
    for (const IgdReport& igd : search.found.igds) {
        if (is_repetition(igd, search.found)) continue;
        devices.push_back(device_to_json(igd, search.seen));
    }
    return {{"gateways", std::move(gateways)},
            {"devices", std::move(devices)},
            {"took_ms", search.found.took.count()},
            {"ended_early", search.found.ended_early},
            {"complete", search.complete}};
}

}  // namespace p2pdiag::upnp_plugin
