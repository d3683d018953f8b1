// Which protocols the routers speak, and which of them say no.
#include <algorithm>
#include <set>

#include "judge_parts.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::IgdReport;
using portmap::Problem;
using portmap::Protocol;

namespace {

// What is worth knowing of the routers that answered, without a code of its own.
void add_upnp_evidence(GatewaysView& view, json::object& evidence) {
    std::int64_t nonces = 0;
    json::array elsewhere;
    json::array late;
    for (const IgdReport& igd : view.search.found.igds) {
        if (igd.mappings && *igd.mappings) {
            const auto& entries = (**igd.mappings).entries;
            nonces += std::count_if(entries.begin(), entries.end(), shows_pcp_nonce);
        }
        if (!is_igd(igd)) continue;
        if (!igd.on_gateway) elsewhere.push_back(json::value(igd.answer.from.to_string()));
        if (igd.after > Milliseconds(1500)) {
            late.push_back(json::value(igd.answer.from.to_string()));
        }
    }
    // Whoever knows the nonce of a PCP client may change and delete its mappings.
    if (nonces > 0) evidence["security_pcp_nonces_shown"] = nonces;
    view.nonces_shown = nonces > 0;
    if (!elsewhere.empty()) evidence["not_a_default_gateway"] = std::move(elsewhere);
    if (!late.empty()) evidence["late_answers"] = std::move(late);
}

// A router that maps ports by UPnP may take longer to say so than anybody waits who has another
// way: that none is listed does not mean that there is none.
void add_end_of_search(const GatewaysView& view, json::object& evidence, std::string& message) {
    const portmap::Discovered& found = view.search.found;
    const auto may_be_one = [](const IgdReport& igd) { return igd.on_gateway || is_igd(igd); };
    const auto& igds = found.igds;
    if (!found.ended_early || std::any_of(igds.begin(), igds.end(), may_be_one)) return;
    evidence["searched_ms"] = found.took.count();
    message += ". No UPnP router answered within " + std::to_string(found.took.count()) +
               " ms; one that takes longer is not listed";
}

}  // namespace

void judge_protocols(GatewaysView& view) {
    for (const Protocol protocol : {Protocol::upnp, Protocol::natpmp, Protocol::pcp}) {
        std::vector<std::string> routers;
        bool pinholes = false;
        for (const Offer& offer : view.offers) {
            if (offer.service.protocol != protocol || !view.is_usable(offer)) continue;
            pinholes = pinholes || offer.pinhole;
            const bool known =
                std::find(routers.begin(), routers.end(), offer.router_name) != routers.end();
            if (!known) routers.push_back(offer.router_name);
        }
        if (routers.empty()) continue;
        view.usable_protocols.push_back(std::string(portmap::to_string(protocol)));
        json::object evidence{{"routers", to_array(routers)}, {"ipv6_pinholes", pinholes}};
        if (protocol == Protocol::upnp) add_upnp_evidence(view, evidence);
        const bool leaks = protocol == Protocol::upnp && view.nonces_shown;
        std::string message = "Programs can ask the router to forward ports by " +
                              std::string(display_name(protocol)) + ": " + enumerated(routers);
        if (leaks) {
            message +=
                ". Its list tells everybody the secrets (nonces) of PCP clients, by which their "
                "forwards can be changed and deleted";
        }
        if (protocol != Protocol::upnp) add_end_of_search(view, evidence, message);
        view.result.add(std::string(code_of(protocol)), leaks ? Severity::warning : Severity::info,
                        std::move(message), std::move(evidence));
    }
}

void judge_refusals(GatewaysView& view) {
    std::vector<std::string> said;
    std::set<std::string> reasons;
    bool for_want_of_address = true;
    for (const Offer& offer : view.offers) {
        if (offer.ready || offer.undecided) continue;
        // No address to map to is told below, with the address.
        if (offer.external && view.outside_of(offer) == Outside::unusable) continue;
        if (offer.problem == Problem::address_mismatch) continue;
        for_want_of_address = for_want_of_address && offer.problem == Problem::no_external_address;
        if (!reasons.insert(offer.why_not).second) continue;
        said.push_back(std::string(display_name(offer.service.protocol)) + " of " +
                       offer.router_name + ": " + offer.why_not);
    }
    if (said.empty()) return;
    view.refused = true;
    // That is a sign of something before the router rather than of its will.
    view.result.add("portmap.refused", Severity::warning,
                    "The router answers, but will not forward ports: " + enumerated(said),
                    {{"answers", to_array(said)}, {"no_outside_address", for_want_of_address}});
}

}  // namespace p2pdiag::upnp_plugin
