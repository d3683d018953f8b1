// Several routers: which one a program should ask.
#include <map>

#include "judge_parts.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::IgdReport;
using portmap::Protocol;

namespace {

struct Router {
    std::string name;
    bool preferred = false;
    Outside outside = Outside::not_told;
};

// One entry a router, by the identity that UPnP gives it, else by its address.
std::map<std::string, Router> routers(const GatewaysView& view) {
    std::map<std::string, Router> all;
    std::map<IpAddress, std::string> by_address;
    for (const IgdReport& igd : view.search.found.igds) {
        if (!is_igd(igd)) continue;
        const auto& about = **igd.description;
        const std::string key = about.udn.empty() ? igd.answer.from.to_string() : about.udn;
        Router& router = all[key];
        by_address.emplace(igd.answer.from, key);
        if (router.name.empty() || igd.answer.from.is_v4()) {
            router.name = igd.answer.from.to_string();
        }
        router.preferred = router.preferred || igd.preferred;
        if (igd.status && *igd.status) {
            router.outside = judge_outside((**igd.status).external, view.search.seen);
        }
    }
    for (const Offer& offer : view.offers) {
        if (offer.pinhole || offer.service.protocol == Protocol::upnp) continue;
        const auto known = by_address.find(offer.service.router);
        const std::string key =
            known == by_address.end() ? offer.service.router.to_string() : known->second;
        Router& router = all[key];
        if (router.name.empty()) router.name = offer.service.router.to_string();
        router.preferred = router.preferred || offer.preferred;
        if (router.outside == Outside::not_told) router.outside = view.outside_of(offer);
    }
    return all;
}

}  // namespace

void judge_number_of_routers(GatewaysView& view) {
    const auto all = routers(view);
    if (all.size() < 2) return;
    std::vector<std::string> described;
    json::array list;
    for (const auto& [key, router] : all) {
        std::vector<std::string> notes;
        if (router.preferred) notes.push_back("on the way to the internet");
        if (router.outside == Outside::same_as_stun) notes.push_back("its address is ours");
        described.push_back(router.name + (notes.empty() ? "" : " (" + enumerated(notes) + ")"));
        list.push_back(json::object{{"router", router.name},
                                    {"on_default_route", router.preferred},
                                    {"outside", to_string(router.outside)}});
    }
    view.result.add("portmap.multiple-gateways", Severity::warning,
                    std::to_string(all.size()) + " routers offer to forward ports: " +
                        enumerated(described) + ". A program may ask the wrong one",
                    {{"routers", std::move(list)}});
    view.several = true;
}

}  // namespace p2pdiag::upnp_plugin
