// Why nothing can be forwarded from here, and what there is to be done instead.
#include <algorithm>

#include "plan_draft.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

// Whoever is in front of a machine with a public address maps nothing.
const portmap::GatewayReport* without_nat(const Draft& draft) {
    const auto& gateways = draft.situation.search.found.gateways;
    const auto direct = std::find_if(gateways.begin(), gateways.end(), [](const auto& gateway) {
        return gateway.preferred && gateway.local.is_v4();
    });
    const bool found = direct != gateways.end() && direct->local.is_public();
    return found && draft.choice.all.empty() ? &*direct : nullptr;
}

// A router answers, but not to the protocol that was asked for.
bool other_protocols(Draft& draft) {
    if (!draft.wanted.via) return false;
    std::string others;
    for (const Offer& offer : draft.choice.all) {
        if (!is_usable(offer) || offer.pinhole) continue;
        const std::string name(portmap::to_string(offer.service.protocol));
        if (others.find(name) != std::string::npos) continue;
        others += (others.empty() ? "" : ", ") + name;
    }
    if (others.empty()) return false;
    draft.note("Leave out --via, or choose one of these: " + others + ".");
    draft.result.finish(P2PDIAG_FAIL, "No router forwards ports by " +
                                          std::string(display_name(*draft.wanted.via)) +
                                          ", but there is another way: " + others);
    return true;
}

void advise_behind_carrier(Draft& draft, const Offer* router, bool told) {
    for (const std::string& way : ways_out(Outside::carrier_grade)) draft.note(way);
    const std::string router_says = router == nullptr
                                        ? "No router answers to UPnP, NAT-PMP or PCP, and "
                                        : "The router will not forward ports, and ";
    // A hop of the provider's alone is no proof of a NAT.
    const bool certain = told || router != nullptr;
    draft.result.finish(P2PDIAG_FAIL, router_says + "the provider's NAT " +
                                          (certain ? "stands in front of it: a"
                                                   : "probably stands in front of "
                                                     "it. Then a") +
                                          " forward could not be reached from the internet");
}

void advise(Draft& draft, const Judgement& judged) {
    const Search& search = draft.situation.search;
    if (judged.status == P2PDIAG_UNKNOWN) {
        if (search.seen.carrier_hop) note_carrier(draft);
        draft.note(
            "It may say so when this command is run again. A router that always takes longer than "
            "a second for an answer by UPnP cannot be used from here: do it by hand.");
        for (const std::string& step : manual_steps(draft.wanted, search)) draft.note(step);
        draft.result.finish(P2PDIAG_UNKNOWN, judged.summary);
        return;
    }
    const Offer* router = leading(draft.choice.all);
    const Outside outside =
        router == nullptr ? Outside::not_told : judge_outside(router->external, {});
    if (outside == Outside::carrier_grade || search.seen.carrier_hop) {
        if (!judged.has("nat.cgnat")) note_carrier(draft);
        advise_behind_carrier(draft, router, outside == Outside::carrier_grade);
        return;
    }
    if (router == nullptr) {
        draft.result.finish(P2PDIAG_FAIL, judged.has("portmap.none")
                                              ? "No router answers to UPnP, NAT-PMP or PCP: it "
                                                "cannot be done from here"
                                              : judged.summary);
    } else {
        draft.result.finish(P2PDIAG_FAIL, "The router answers, but will not forward the port");
        if (is_not_reachable(outside)) {
            for (const std::string& way : ways_out(outside)) draft.note(way);
        }
        draft.note(
            "Routers refuse when their own outside address is not public, which means another NAT "
            "in front of them, or when forwarding by programs is switched off in their settings.");
    }
    for (const std::string& step : manual_steps(draft.wanted, search)) draft.note(step);
}

}  // namespace

void note_carrier(Draft& draft) {
    const std::string hop = draft.situation.search.seen.carrier_hop->to_string();
    draft.result.add(
        "nat.cgnat", Severity::warning,
        "On the way to the internet stands " + hop +
            " in 100.64.0.0/10: probably the provider's NAT. Then a forward in one's own router "
            "cannot be reached from the internet",
        {{"carrier_hop", hop}});
    draft.note("On the way to the internet stands " + hop +
               ", probably the provider's NAT, behind which no forward of your own router can be "
               "reached.");
}

void explain_impossible(Draft& draft) {
    const Search& search = draft.situation.search;
    if (!search.complete && draft.choice.all.empty()) {
        draft.result.finish(P2PDIAG_UNKNOWN, "Interrupted before any router had answered");
        return;
    }
    if (const portmap::GatewayReport* direct = without_nat(draft)) {
        draft.note(
            "If peers cannot reach it all the same, a firewall is in the way: that of this "
            "machine, or one of the network.");
        draft.result.finish(P2PDIAG_SKIP, "Nothing to do: this machine has the public address " +
                                              direct->local.to_string() +
                                              " itself, so there is no router to forward a port");
        return;
    }
    if (other_protocols(draft)) return;
    const Judgement judged = judge_gateways(search);
    for (const Finding& finding : judged.findings) {
        if (finding.severity != Severity::info) draft.result.findings.push_back(finding);
    }
    advise(draft, judged);
}

}  // namespace p2pdiag::upnp_plugin
