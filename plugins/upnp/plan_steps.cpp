// The steps of a plan, in words for people and as the journal has them.
#include "plan_draft.hpp"
#include "step_words.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

json::object step_to_json(const Step& step, json::object words) {
    words["step"] = to_json(step);
    return words;
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
    const Try& first = step.tries.front();
    draft.steps.push_back(step_to_json(
        step, words_of(first, first.request.external_port, duration_text(wanted.lease))));
}

void add_renewal(Draft& draft, const OpenForward& open, const Offer& offer) {
    Step step = open.step;
    const auto& grant = open.attempt()->grant;
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
    const std::uint16_t outside_port = grant ? grant->external_port : by.request.external_port;
    json::object made = step_to_json(step, words_of(by, outside_port, how));
    made["continues"] = open.id;
    draft.steps.push_back(std::move(made));
}

}  // namespace p2pdiag::upnp_plugin
