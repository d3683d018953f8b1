// The summary and the status of upnp.gateways, and what programs read of it.
#include <algorithm>

#include "judge_parts.hpp"
#include "own_forwards.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::GatewayReport;
using portmap::IgdReport;
using portmap::Protocol;

namespace {

bool has_answered(const GatewaysView& view) {
    const auto& igds = view.search.found.igds;
    return !view.offers.empty() || std::any_of(igds.begin(), igds.end(), is_igd);
}

// The first router that did not say whether it forwards ports, where none said no. That one will
// not open its IPv6 firewall says nothing of forwards.
const Offer* only_undecided(const GatewaysView& view) {
    for (const bool pinhole : {false, true}) {
        const Offer* first = nullptr;
        for (const Offer& offer : view.offers) {
            if (offer.pinhole != pinhole) continue;
            if (!offer.undecided) return nullptr;
            if (first == nullptr) first = &offer;
        }
        if (first != nullptr) return first;
    }
    return nullptr;
}

void finish_usable(GatewaysView& view) {
    std::vector<std::string> names;
    for (const Protocol protocol : {Protocol::upnp, Protocol::natpmp, Protocol::pcp}) {
        const std::string code(portmap::to_string(protocol));
        if (std::find(view.usable_protocols.begin(), view.usable_protocols.end(), code) !=
            view.usable_protocols.end()) {
            names.emplace_back(display_name(protocol));
        }
    }
    std::string text = "The router offers to forward ports by " + enumerated(names);
    switch (view.outside) {
        case Outside::same_as_stun:
            text += "; its outside address " + view.leading->external->to_string() +
                    " is the one that servers see";
            break;
        case Outside::private_use:
        case Outside::carrier_grade:
            text += ", but another NAT is in front of it (outside address " +
                    view.leading->external->to_string() + ")";
            break;
        case Outside::differs:
            text += "; its outside address " + view.leading->external->to_string() +
                    " is not the one that servers see";
            break;
        case Outside::not_compared:
            text += "; its outside address " + view.leading->external->to_string() +
                    " was not compared with what servers see";
            break;
        case Outside::not_told:
            if (view.carrier) {
                text += ", but perhaps the provider's NAT is in front of it (" +
                        view.search.seen.carrier_hop->to_string() + ")";
            }
            break;
        default: break;
    }
    const bool limited = view.carrier || is_not_reachable(view.outside) ||
                         view.outside == Outside::differs || view.mismatch || view.several ||
                         view.refused || view.nonces_shown;
    view.result.finish(limited ? P2PDIAG_WARN : P2PDIAG_PASS, std::move(text));
}

// A question that this machine's own firewall kept back tells nothing of the router.
bool was_kept_here(const Search& search) {
    const auto kept = [](const auto& outcome) {
        return outcome && !*outcome && outcome->error().problem == portmap::Problem::kept_here;
    };
    return std::ranges::any_of(search.found.gateways, [&](const GatewayReport& gateway) {
        return kept(gateway.natpmp) || kept(gateway.pcp);
    });
}

void finish_none(GatewaysView& view) {
    json::array tried;
    for (const GatewayReport& gateway : view.search.found.gateways) {
        const auto said = [](const auto& outcome) -> json::value {
            if (!outcome || *outcome) return nullptr;
            return json::value(portmap::to_string(outcome->error().problem));
        };
        tried.push_back(json::object{{"router", gateway.address.to_string()},
                                     {"interface", gateway.interface_name},
                                     {"natpmp", said(gateway.natpmp)},
                                     {"pcp", said(gateway.pcp)},
                                     {"upnp", "no-answer"}});
    }
    const bool no_nat = view.search.seen.behind_nat == false;
    std::string message =
        "No router offers to forward ports: none answered to UPnP, NAT-PMP or PCP";
    if (!view.search.found.igds.empty()) {
        message +=
            " (" + std::to_string(view.search.found.igds.size()) + " other UPnP devices answered)";
    }
    const bool kept = was_kept_here(view.search);
    if (kept) {
        message =
            "Whether a router offers to forward ports is not known: this machine's own firewall "
            "does not let out what asks for it (UDP to ports 1900 and 5351)";
    }
    view.result.add("portmap.none", no_nat || kept ? Severity::info : Severity::warning, message,
                    {{"tried", std::move(tried)}, {"waited_ms", view.search.found.took.count()}});
    if (no_nat) {
        view.result.finish(
            P2PDIAG_SKIP, "No router offers to forward ports, and none is needed: there is no NAT");
    } else if (kept) {
        view.result.finish(P2PDIAG_UNKNOWN, std::move(message));
    } else {
        view.result.finish(P2PDIAG_WARN, std::move(message));
    }
}

// What programs read: the answer to "can I ask for a port, and is it of any use?"
void conclude(GatewaysView& view) {
    json::object& data = view.result.data;
    data["usable"] = to_array(view.usable_protocols);
    data["external_address"] = nullptr;
    if (view.leading != nullptr && view.leading->external) {
        data["external_address"] = view.leading->external->to_string();
    }
    data["stun_addresses"] = json::array();
    for (const IpAddress& address : view.search.seen.addresses) {
        data["stun_addresses"].as_array().push_back(json::value(address.to_string()));
    }
    data["outside"] =
        view.leading == nullptr ? json::value(nullptr) : json::value(to_string(view.outside));
    data["nat_layers"] = nullptr;
    if (view.outside == Outside::same_as_stun) data["nat_layers"] = 1;
    if (view.outside == Outside::carrier_grade || view.mismatch) data["nat_layers"] = 2;
    if (view.outside == Outside::private_use) data["nat_layers"] = 2;
    if (data["nat_layers"].is_null()) {
        data["nat_layers_reason"] = view.leading == nullptr ? json::value("no-router")
                                                            : json::value(to_string(view.outside));
    }
}

void finish(GatewaysView& view) {
    if (!view.usable_protocols.empty()) {
        finish_usable(view);
    } else if (const Offer* offer = only_undecided(view)) {
        view.result.finish(P2PDIAG_UNKNOWN,
                           "A router answers, but not whether it forwards ports: " +
                               std::string(display_name(offer->service.protocol)) + " of " +
                               offer->router_name + ", " + offer->why_not);
    } else if (has_answered(view)) {
        view.result.finish(P2PDIAG_WARN, "A router answers, but will not forward ports for us");
    } else if (view.search.found.gateways.empty() && view.search.found.igds.empty()) {
        view.result.finish(P2PDIAG_SKIP, "There is no router: this machine has no default gateway");
    } else if (!view.search.complete) {
        view.result.finish(P2PDIAG_UNKNOWN, "It ended before any router had answered");
    } else if (const auto unread = unread_router(view.search.found)) {
        view.result.finish(P2PDIAG_UNKNOWN,
                           "A router answers to UPnP, but its description was not read (" +
                               *unread + "): whether it forwards ports is not known");
    } else {
        finish_none(view);
    }
}

// A router that does not say what it offers has not said it by what it forwards.
void add_own_forwards(GatewaysView& view) {
    Judgement& result = view.result;
    if (!view.own_words.empty()) result.summary += "; " + view.own_words;
    const bool wrong = result.has("portmap.forward-lost") || result.has("portmap.forward-stale");
    if (wrong && (result.status == P2PDIAG_PASS || result.status == P2PDIAG_SKIP)) {
        result.status = P2PDIAG_WARN;
    }
}

}  // namespace

bool is_igd(const IgdReport& igd) {
    return igd.description && *igd.description && (**igd.description).mapping.has_value();
}

json::array to_array(const std::vector<std::string>& words) {
    json::array list;
    for (const std::string& word : words) list.push_back(json::value(word));
    return list;
}

Judgement judge_gateways(const Search& search) { return judge_gateways(search, {}); }

Judgement judge_gateways(const Search& search, const std::vector<OwnForward>& own) {
    GatewaysView view(search, own);
    view.result.data = gateways_data(search);
    judge_protocols(view);
    judge_refusals(view);
    judge_outside_address(view);
    judge_number_of_routers(view);
    judge_own_forwards(view);
    judge_foreign_forwards(view);
    finish(view);
    add_own_forwards(view);
    conclude(view);
    return std::move(view.result);
}

}  // namespace p2pdiag::upnp_plugin
