// How many NATs there are, by what the routers say of their outside address.
#include "judge_parts.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::GatewayReport;
using portmap::Problem;

namespace {

std::string stun_addresses(const GatewaysView& view) {
    std::vector<std::string> seen;
    for (const IpAddress& address : view.search.seen.addresses) seen.push_back(address.to_string());
    return enumerated(seen);
}

// Routers without a public outside address often name none and refuse, as miniupnpd does. The
// hop alone is no proof: some providers use these addresses without translating.
void judge_hidden_wan(GatewaysView& view, const std::string& router, json::object evidence) {
    if (!view.search.seen.carrier_hop) return;
    const std::string hop = view.search.seen.carrier_hop->to_string();
    evidence["carrier_hop"] = hop;
    view.carrier = true;
    if (!view.refused) {
        evidence["certain"] = false;
        view.result.add("nat.double-nat", Severity::info,
                        router + " names no outside address, and behind it stands " + hop +
                            " in 100.64.0.0/10: perhaps a second NAT, the provider's",
                        evidence);
        return;
    }
    const std::string message =
        router + " names no outside address and will not forward ports, and behind it stands " +
        hop + " in 100.64.0.0/10";
    view.result.add("nat.double-nat", Severity::warning,
                    message + ": two NATs, the second one being the provider's", evidence);
    view.result.add("nat.cgnat", Severity::warning, message + ": the provider's NAT", evidence);
}

void judge_wan(GatewaysView& view) {
    if (view.leading == nullptr) return;
    const std::string external =
        view.leading->external ? view.leading->external->to_string() : std::string();
    const std::string seen = stun_addresses(view);
    json::object evidence{{"router", view.leading->service.router.to_string()},
                          {"external_address", nullptr},
                          {"stun_address", nullptr},
                          {"outside", to_string(view.outside)}};
    if (!external.empty()) evidence["external_address"] = external;
    if (!seen.empty()) evidence["stun_address"] = seen;
    const std::string router = "The router " + view.leading->router_name;
    const std::string compared =
        seen.empty() ? std::string() : ", while servers on the internet see " + seen;
    switch (view.outside) {
        case Outside::unusable:
            view.result.add("portmap.external-private", Severity::warning,
                            router + " names " + external +
                                " as its outside address: it has none that could be used",
                            evidence);
            break;
        case Outside::private_use:
            view.result.add("portmap.external-private", Severity::warning,
                            router + " has the private outside address " + external + compared,
                            evidence);
            view.result.add("nat.double-nat", Severity::warning,
                            "Two NATs: behind " + router.substr(4) + " (outside address " +
                                external + ") there is another router",
                            evidence);
            break;
        case Outside::carrier_grade:
            view.result.add("portmap.external-private", Severity::warning,
                            router + " has the outside address " + external +
                                ", which the provider shares among customers" + compared,
                            evidence);
            view.result.add("nat.double-nat", Severity::warning,
                            "Two NATs: that of this router and the provider's in front of it "
                            "(carrier-grade NAT)",
                            evidence);
            view.result.add("nat.cgnat", Severity::warning,
                            "The router's outside address " + external +
                                " lies in 100.64.0.0/10: the provider's NAT is in front of it",
                            evidence);
            break;
        case Outside::differs:
            evidence["certain"] = false;
            view.result.add("nat.double-nat", Severity::info,
                            router + " names " + external + " as its outside address" + compared +
                                ". That may be a second NAT, but also several lines to the "
                                "internet, a VPN or a 1:1 NAT: not decided",
                            evidence);
            break;
        case Outside::not_told:
            if (!view.leading->undecided) judge_hidden_wan(view, router, evidence);
            break;
        default: break;
    }
}

void judge_mismatch(GatewaysView& view) {
    for (const GatewayReport& gateway : view.search.found.gateways) {
        if (!gateway.pcp || *gateway.pcp) continue;
        if (gateway.pcp->error().problem != Problem::address_mismatch) continue;
        view.mismatch = true;
        view.result.add(
            "nat.double-nat", Severity::warning,
            "There is a NAT between this machine and the router " + gateway.address.to_string() +
                ": it sees another address than this machine's own (PCP "
                "ADDRESS_MISMATCH)",
            {{"router", gateway.address.to_string()}, {"local", gateway.local.to_string()}});
    }
}

}  // namespace

void judge_outside_address(GatewaysView& view) {
    judge_wan(view);
    judge_mismatch(view);
}

}  // namespace p2pdiag::upnp_plugin
