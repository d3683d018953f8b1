// The steps of a plan, in words for people and as the journal has them.
#include "failures.hpp"
#include "plan_draft.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

// `how` ends the title: "for 2 h, by UPnP".
json::object step_to_json(const Step& step, const Try& by, const std::string& how) {
    const portmap::MapRequest& request = by.request;
    const std::string port = port_words(request.transport, request.internal_port);
    const std::string local = by.service.local.to_string();
    std::string title;
    std::string undo;
    if (step.pinhole()) {
        title = "Let " + port + " to " + local + " through the IPv6 firewall of the router " +
                by.router_name;
        undo = "Close " + port + " in the router's IPv6 firewall again";
    } else {
        const std::string outside = port_words(request.transport, request.external_port);
        title = "Forward " + outside + " of the router " + by.router_name + " to " +
                Endpoint{by.service.local, request.internal_port}.to_string();
        undo = "Delete the forward of " + outside + " from the router";
    }
    json::object match{{"port", request.internal_port},
                       {"external", request.external_port},
                       {"protocol", to_string(request.transport)},
                       {"family", to_string(step.family())}};
    return {{"title", title + ' ' + how + ", by " + std::string(display_name(by.service.protocol))},
            {"undo", undo},
            {"match", std::move(match)},
            {"step", to_json(step)}};
}

}  // namespace

void add_new_step(Draft& draft, Transport transport, const std::vector<Offer>& offers,
                  const NonceSource& nonces) {
    const Wanted& wanted = draft.wanted;
    Step step;
    for (const Offer& offer : offers) {
        Try one;
        one.service = offer.service;
        one.interface_name = offer.interface_name;
        one.router_name = offer.router_name;
        one.request.transport = transport;
        one.request.internal_port = wanted.port;
        one.request.external_port = offer.pinhole ? wanted.port : wanted.outside_port();
        one.request.lifetime = wanted.lease;
        one.request.nonce = nonces();
        one.request.exact = wanted.external.has_value();
        step.tries.push_back(std::move(one));
    }
    draft.steps.push_back(step_to_json(step, step.tries.front(), duration_text(wanted.lease)));
}

void add_renewal(Draft& draft, const OpenForward& open, const Offer& offer) {
    Step step = open.step;
    Try& by = step.tries.at(open.attempt()->index);
    // Where the router is asked now: a restarted one may have another port.
    by.service = offer.service;
    by.interface_name = offer.interface_name;
    by.router_name = offer.router_name;
    for (Try& one : step.tries) {
        one.request.lifetime = draft.wanted.lease;
        one.request.exact = draft.wanted.external.has_value();
    }
    std::string how = duration_text(draft.wanted.lease);
    if (how.starts_with("for ") && draft.wanted.lease.count() > 0) how.insert(4, "another ");
    json::object made = step_to_json(step, by, how);
    made["continues"] = open.id;
    draft.steps.push_back(std::move(made));
}

}  // namespace p2pdiag::upnp_plugin
