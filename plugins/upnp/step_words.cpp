#include "step_words.hpp"

#include "failures.hpp"
#include "wanted.hpp"

namespace p2pdiag::upnp_plugin {

json::object words_of(const Try& by, std::uint16_t outside_port, const std::string& lease) {
    const portmap::MapRequest& request = by.request;
    const portmap::Service& service = by.service;
    const std::string port = port_words(request.transport, request.internal_port);
    std::string title;
    std::string undo;
    if (service.local.is_v4()) {
        const std::string outside = port_words(request.transport, outside_port);
        title = "Forward " + outside + " of the router " + by.router_name + " to " +
                Endpoint{service.local, request.internal_port}.to_string();
        undo = "Delete the forward of " + outside + " from the router";
    } else {
        title = "Let " + port + " to " + service.local.to_string() +
                " through the IPv6 firewall of the router " + by.router_name;
        undo = "Close " + port + " in the router's IPv6 firewall again";
    }
    title += ' ' + lease + ", by " + std::string(display_name(service.protocol));
    return {{"title", title},
            {"undo", undo},
            {"match",
             {{"port", request.internal_port},
              {"external", outside_port},
              {"protocol", to_string(request.transport)},
              {"family", to_string(service.local.family())}}}};
}

// A list may say already what is left of it.
static portmap::Seconds lease_of(const portmap::MapGrant& grant, portmap::Seconds asked) {
    constexpr portmap::Seconds passed{5};
    const portmap::Seconds granted = grant.lifetime.value_or(asked);
    return granted <= asked && asked - granted <= passed && granted.count() > 0 ? asked : granted;
}

json::object for_host(const Record& record, const Step& step) {
    json::object object = to_json(record);
    if (const Attempt* made = record.granted()) {
        const Try by = try_of(step, *made);
        const portmap::Seconds lease = lease_of(*made->grant, by.request.lifetime);
        const std::uint16_t port = made->grant->external_port;
        const bool as_planned = made->index == 0 && !made->service &&
                                port == by.request.external_port && lease == by.request.lifetime;
        if (!as_planned) object["told_as"] = words_of(by, port, duration_text(lease));
    }
    return object;
}

}  // namespace p2pdiag::upnp_plugin
