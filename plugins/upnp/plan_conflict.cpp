// Ports that cannot be had: whose they are, and what there is instead.
#include <algorithm>

#include "failures.hpp"
#include "plan_draft.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

// Free for all the transports that are wanted.
std::optional<std::uint16_t> free_port(const Draft& draft, const Offer& offer) {
    const auto& transports = draft.wanted.transports;
    for (unsigned i = 1; i <= most_alternatives; ++i) {
        const unsigned port = draft.wanted.outside_port() + i;
        if (port > 65535) break;
        const auto candidate = static_cast<std::uint16_t>(port);
        const bool free = std::all_of(transports.begin(), transports.end(), [&](Transport one) {
            const Lookup* lookup =
                find_lookup(draft.situation, offer.service.control_url, one, candidate);
            return lookup != nullptr && lookup->known && !lookup->holder;
        });
        if (free) return candidate;
    }
    return std::nullopt;
}

}  // namespace

void explain_taken(Draft& draft, const Offer& offer, Transport transport,
                   const portmap::IgdMapping& holder) {
    const std::string whose =
        holder.internal_address
            ? Endpoint{*holder.internal_address, holder.internal_port}.to_string()
            : "somebody else";
    std::string text = port_words(transport, holder.external_port) + " of the router " +
                       offer.router_name + " is forwarded to " + whose + " already (\"" +
                       shown_description(holder) + "\")";
    json::object evidence{{"router", offer.service.router.to_string()},
                          {"holder", mapping_to_json(holder)},
                          {"free_external_port", nullptr}};
    if (const auto free = free_port(draft, offer)) {
        evidence["free_external_port"] = *free;
        draft.note("Another external port is free: add --external " + std::to_string(*free) +
                   ". Peers must then be told that port.");
    }
    for (const OpenForward& open : draft.situation.open) {
        if (open.id != id_of(holder.description)) continue;
        draft.note(
            "It is of this p2pdiag, from when this machine had another address or for another "
            "port of it: 'p2pdiag undo " +
            open.id + "' takes it back.");
    }
    draft.note("Or delete that entry on the router's own pages, if it is not needed.");
    draft.result.add("portmap.conflict", Severity::error, text, std::move(evidence));
    draft.result.finish(P2PDIAG_FAIL, std::move(text));
}

void explain_moving(Draft& draft, Transport transport, const OpenForward& ours) {
    std::string text = port_words(transport, draft.wanted.port) +
                       " is forwarded from external port " +
                       std::to_string(ours.record->granted()->grant->external_port) +
                       " already, and NAT-PMP forwards a port from one external port alone: take "
                       "that back first, with 'p2pdiag undo " +
                       ours.id + '\'';
    draft.result.add("portmap.conflict", Severity::error, text,
                     {{"change", ours.id}, {"protocol", "natpmp"}});
    draft.result.finish(P2PDIAG_FAIL, std::move(text));
}

}  // namespace p2pdiag::upnp_plugin
