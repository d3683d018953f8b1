// What upnp.gateways says of the forwards that this program made earlier.
#include <algorithm>

#include "failures.hpp"
#include "judge_parts.hpp"
#include "own_forwards.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

struct Judged {
    const OwnForward& forward;
    Try made;
    Stands stands;
    Reached reach;

    std::uint16_t port() const { return made.request.internal_port; }
    std::string name() const { return port_words(made.request.transport, port()); }
    std::string by() const {
        return std::string(display_name(made.service.protocol)) + " of " + made.router_name;
    }
};

json::object evidence_of(const Judged& one) {
    const Attempt* attempt = one.forward.open.attempt();
    json::object evidence{{"id", one.forward.open.id},
                          {"protocol", to_string(one.made.request.transport)},
                          {"port", one.port()},
                          {"family", to_string(one.made.service.local.family())},
                          {"via", portmap::to_string(one.made.service.protocol)},
                          {"router", one.made.router_name},
                          {"external_port", nullptr}};
    if (attempt->grant) evidence["external_port"] = attempt->grant->external_port;
    return evidence;
}

void say_in_force(GatewaysView& view, const Judged& one) {
    json::object evidence = evidence_of(one);
    evidence["external"] = nullptr;
    if (one.reach.at) evidence["external"] = one.reach.at->to_string();
    evidence["verified"] = json::text_or_null(one.reach.verified);
    if (one.reach.verified == "packet") evidence["seen_by_program"] = one.reach.at_program;
    std::string text = one.name() + " of this machine is forwarded by " + one.by();
    if (one.reach.at) text += ", from " + one.reach.at->to_string();
    if (one.reach.verified == "packet") {
        text += "; a packet from outside came in by it";
    } else if (one.reach.verified == "read-back") {
        text += "; the router lists it, and nobody has proven it from outside";
    } else {
        text += "; by what the router promised, and nobody has proven it";
    }
    view.result.add("portmap.forwarded", Severity::info, std::move(text), std::move(evidence));
}

void say_lost(GatewaysView& view, const Judged& one) {
    json::object evidence = evidence_of(one);
    evidence["reason"] = one.stands.reason;
    view.result.add("portmap.forward-lost", Severity::warning,
                    one.name() + " of this machine is no longer forwarded by " + one.by() + ": " +
                        one.stands.why,
                    std::move(evidence));
}

// 'forward remove' takes back all of a port: not where another one of it is wanted.
bool is_shared(const Judged& one, const std::vector<Judged>& all) {
    return std::ranges::any_of(all, [&](const Judged& other) {
        return &other != &one && other.port() == one.port() &&
               other.made.request.transport == one.made.request.transport &&
               other.stands.standing != Standing::stale;
    });
}

void say_stale(GatewaysView& view, const Judged& one, const std::vector<Judged>& all) {
    const bool other_address = one.stands.reason == "other-address";
    json::object evidence = evidence_of(one);
    evidence["reason"] = one.stands.reason;
    evidence["leads_to"] = Endpoint{one.made.service.local, one.port()}.to_string();
    evidence["shared"] = is_shared(one, all);
    // NAT-PMP and PCP listen to the address alone that a forward leads to.
    evidence["removable"] = !other_address || one.made.service.protocol == portmap::Protocol::upnp;
    view.result.add("portmap.forward-stale", Severity::warning,
                    "An earlier forward of " + one.name() + " by " + one.by() +
                        " is of no use and still in force: " + one.stands.why,
                    std::move(evidence));
}

json::object to_json(const Judged& one) {
    json::object object = evidence_of(one);
    object["state"] = to_string(one.stands.standing);
    object["why"] = json::text_or_null(one.stands.why);
    object["external"] = nullptr;
    object["verified"] = nullptr;
    if (one.stands.standing == Standing::in_force) {
        if (one.reach.at) object["external"] = one.reach.at->to_string();
        object["verified"] = json::text_or_null(one.reach.verified);
    }
    return object;
}

void count(std::string& text, const std::vector<Judged>& all, Standing standing,
           std::string_view words) {
    std::vector<std::string> names;
    for (const Judged& one : all) {
        if (one.stands.standing == standing) names.push_back(one.name());
    }
    if (names.empty()) return;
    text += text.empty() ? "" : ", ";
    text += enumerated(names) + ' ' + std::string(words);
}

}  // namespace

void judge_own_forwards(GatewaysView& view) {
    std::vector<Judged> all;
    for (const OwnForward& forward : view.own) {
        const auto made = forward.open.made_by();
        if (!made) continue;
        all.push_back(
            {forward, *made, judge_standing(forward, view.search), reached(forward, view.search)});
    }
    json::array list;
    for (const Judged& one : all) {
        list.push_back(to_json(one));
        switch (one.stands.standing) {
            case Standing::in_force: say_in_force(view, one); break;
            case Standing::lost: say_lost(view, one); break;
            case Standing::stale: say_stale(view, one, all); break;
            case Standing::unknown: break;
        }
    }
    view.result.data["forwards"] = std::move(list);
    count(view.own_words, all, Standing::in_force, "forwarded");
    count(view.own_words, all, Standing::lost, "no longer forwarded");
    count(view.own_words, all, Standing::stale, "forwarded to nobody");
}

}  // namespace p2pdiag::upnp_plugin
