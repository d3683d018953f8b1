// What upnp.gateways makes of a search, while it is being judged. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/enumerated.hpp"
#include "gateways.hpp"

namespace p2pdiag::upnp_plugin {

struct GatewaysView {
    GatewaysView(const Search& what, const std::vector<OwnForward>& ours)
        : search(what), own(ours), offers(upnp_plugin::offers(what.found, what.ipv6)) {
        leading = upnp_plugin::leading(offers);
        if (leading != nullptr) outside = outside_of(*leading);
    }
    GatewaysView(const GatewaysView&) = delete;
    GatewaysView& operator=(const GatewaysView&) = delete;

    Outside outside_of(const Offer& offer) const {
        return judge_outside(offer.external, search.seen);
    }
    bool is_usable(const Offer& offer) const {
        return offer.ready && (offer.pinhole || outside_of(offer) != Outside::unusable);
    }

    const Search& search;
    const std::vector<OwnForward>& own;
    const std::vector<Offer> offers;
    const Offer* leading = nullptr;  // of `offers`
    Outside outside = Outside::not_told;

    Judgement result;
    std::vector<std::string> usable_protocols;  // "upnp", …
    bool nonces_shown = false;                  // of PCP clients, to everybody
    bool refused = false;                       // a router said no
    bool mismatch = false;                      // a NAT on this side of a router
    bool several = false;                       // routers
    bool carrier = false;                       // a hop of the provider's, and no address told
    std::string own_words;                      // of our own forwards, for the summary
};

// A device that maps ports, as far as was read.
bool is_igd(const portmap::IgdReport& igd);
json::array to_array(const std::vector<std::string>& words);

// Each adds findings and sets what the summary needs. In this order.
void judge_protocols(GatewaysView& view);
void judge_refusals(GatewaysView& view);
void judge_outside_address(GatewaysView& view);
void judge_number_of_routers(GatewaysView& view);
void judge_own_forwards(GatewaysView& view);
void judge_foreign_forwards(GatewaysView& view);

}  // namespace p2pdiag::upnp_plugin
