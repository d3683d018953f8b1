// What the router on the way to the internet forwards to others: the port that this machine's
// program would be called at may be taken.
#include <algorithm>

#include "failures.hpp"
#include "judge_parts.hpp"
#include "own_forwards.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::IgdMapping;
using portmap::IgdReport;

namespace {

bool is_own(const IgdMapping& entry, const GatewaysView& view) {
    const auto& addresses = view.search.own_addresses;
    return std::ranges::find(addresses, *entry.internal_address) != addresses.end() ||
           // From when this machine had another address: judge_own_forwards.
           std::ranges::any_of(view.own, [id = id_of(entry.description)](const OwnForward& own) {
               return own.open.id == id;
           });
}

// Of a remote host's own forward others do not know, and one that is switched off takes nothing.
bool takes_port(const IgdMapping& entry, const GatewaysView& view) {
    return entry.external_port == view.search.target_port && entry.enabled &&
           entry.remote_host.empty() && entry.internal_address && !is_own(entry, view);
}

void say_taken(GatewaysView& view, const IgdReport& igd, const IgdMapping& entry) {
    const Endpoint holder{*entry.internal_address, entry.internal_port};
    view.result.add("portmap.conflict", Severity::info,
                    port_words(entry.transport, entry.external_port) + " of the router " +
                        igd.answer.from.to_string() + " is forwarded to another machine, " +
                        holder.to_string() + " (\"" + shown_description(entry) + "\")",
                    {{"protocol", to_string(entry.transport)},
                     {"external_port", entry.external_port},
                     {"router", igd.answer.from.to_string()},
                     {"holder", mapping_to_json(entry)}});
}

}  // namespace

void judge_foreign_forwards(GatewaysView& view) {
    // What belongs to this machine has to be known before anything is somebody else's.
    if (view.search.target_port == 0 || view.search.own_addresses.empty()) return;
    for (const IgdReport& igd : view.search.found.igds) {
        if (!igd.preferred || !is_igd(igd) || !igd.mappings || !*igd.mappings) continue;
        for (const IgdMapping& entry : (**igd.mappings).entries) {
            if (takes_port(entry, view)) say_taken(view, igd, entry);
        }
    }
}

}  // namespace p2pdiag::upnp_plugin
