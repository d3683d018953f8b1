#include <algorithm>
#include <map>
#include <set>

#include "gateways.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::GatewayReport;
using portmap::IgdReport;
using portmap::Problem;
using portmap::Protocol;

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
        text += words[i];
    }
    return text;
}

json::array to_array(const std::vector<std::string>& words) {
    json::array list;
    for (const std::string& word : words) list.push_back(json::value(word));
    return list;
}

bool is_igd(const IgdReport& igd) {
    return igd.description && *igd.description && (**igd.description).mapping.has_value();
}

class Judge {
public:
    explicit Judge(const Search& search)
        : search_(search), offers_(offers(search.found, search.ipv6)) {}

    Judgement run() {
        result_.data = gateways_data(search_);
        for (const Offer& offer : offers_) {
            answered_ = true;
            usable_ = usable_ || is_usable(offer);
        }
        for (const IgdReport& igd : search_.found.igds) answered_ = answered_ || is_igd(igd);
        leading_ = leading(offers_);
        if (leading_ != nullptr) outside_ = outside_of(*leading_);
        judge_protocols();
        judge_refusals();
        judge_wan();
        judge_mismatch();
        judge_number();
        finish();
        conclude();
        return std::move(result_);
    }

private:
    Outside outside_of(const Offer& offer) const {
        return judge_outside(offer.external, search_.seen);
    }

    bool is_usable(const Offer& offer) const {
        return offer.ready && (offer.pinhole || outside_of(offer) != Outside::unusable);
    }

    void judge_protocols() {
        for (const Protocol protocol : {Protocol::upnp, Protocol::natpmp, Protocol::pcp}) {
            std::vector<std::string> routers;
            bool pinholes = false;
            for (const Offer& offer : offers_) {
                if (offer.service.protocol != protocol || !is_usable(offer)) continue;
                pinholes = pinholes || offer.pinhole;
                const bool known =
                    std::find(routers.begin(), routers.end(), offer.router_name) != routers.end();
                if (!known) routers.push_back(offer.router_name);
            }
            if (routers.empty()) continue;
            usable_protocols_.push_back(std::string(portmap::to_string(protocol)));
            json::object evidence{{"routers", to_array(routers)}, {"ipv6_pinholes", pinholes}};
            if (protocol == Protocol::upnp) add_upnp_evidence(evidence);
            result_.add(std::string(code_of(protocol)), Severity::info,
                        "Programs can ask the router to forward ports by " +
                            std::string(display_name(protocol)) + ": " + joined(routers),
                        std::move(evidence));
        }
    }

    // What is worth knowing of the routers that answered, without a code of its own.
    void add_upnp_evidence(json::object& evidence) const {
        std::int64_t nonces = 0;
        json::array elsewhere;
        json::array late;
        for (const IgdReport& igd : search_.found.igds) {
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
        if (!elsewhere.empty()) evidence["not_a_default_gateway"] = std::move(elsewhere);
        if (!late.empty()) evidence["late_answers"] = std::move(late);
    }

    void judge_refusals() {
        std::vector<std::string> said;
        std::set<std::string> reasons;
        for (const Offer& offer : offers_) {
            if (offer.ready) continue;
            // No address to map to is told below, with the address.
            if (offer.external && outside_of(offer) == Outside::unusable) continue;
            if (offer.problem == Problem::address_mismatch) continue;
            if (!reasons.insert(offer.why_not).second) continue;
            said.push_back(std::string(display_name(offer.service.protocol)) + " of " +
                           offer.router_name + ": " + offer.why_not);
        }
        if (said.empty()) return;
        refused_ = true;
        result_.add("portmap.refused", Severity::warning,
                    "The router answers, but will not forward ports: " + joined(said),
                    {{"answers", to_array(said)}});
    }

    std::string stun_addresses() const {
        std::vector<std::string> seen;
        for (const IpAddress& address : search_.seen.addresses) seen.push_back(address.to_string());
        return joined(seen);
    }

    void judge_wan() {
        if (leading_ == nullptr) return;
        const std::string external =
            leading_->external ? leading_->external->to_string() : std::string();
        const std::string seen = stun_addresses();
        json::object evidence{{"router", leading_->service.router.to_string()},
                              {"external_address", nullptr},
                              {"stun_address", nullptr},
                              {"outside", to_string(outside_)}};
        if (!external.empty()) evidence["external_address"] = external;
        if (!seen.empty()) evidence["stun_address"] = seen;
        const std::string router = "The router " + leading_->router_name;
        const std::string compared =
            seen.empty() ? std::string() : ", while servers on the internet see " + seen;
        switch (outside_) {
            case Outside::unusable:
                result_.add("portmap.external-private", Severity::warning,
                            router + " names " + external +
                                " as its outside address: it has none that could be used",
                            evidence);
                break;
            case Outside::private_use:
                result_.add("portmap.external-private", Severity::warning,
                            router + " has the private outside address " + external + compared,
                            evidence);
                result_.add("nat.double-nat", Severity::warning,
                            "Two NATs: behind " + router.substr(4) + " (outside address " +
                                external + ") there is another router",
                            evidence);
                break;
            case Outside::carrier_grade:
                result_.add("portmap.external-private", Severity::warning,
                            router + " has the outside address " + external +
                                ", which the provider shares among customers" + compared,
                            evidence);
                result_.add("nat.double-nat", Severity::warning,
                            "Two NATs: that of this router and the provider's in front of it "
                            "(carrier-grade NAT)",
                            evidence);
                result_.add("nat.cgnat", Severity::warning,
                            "The router's outside address " + external +
                                " lies in 100.64.0.0/10: the provider's NAT is in front of it",
                            evidence);
                break;
            case Outside::differs:
                evidence["certain"] = false;
                result_.add("nat.double-nat", Severity::info,
                            router + " names " + external + " as its outside address" + compared +
                                ". That may be a second NAT, but also several lines to the "
                                "internet, a VPN or a 1:1 NAT: not decided",
                            evidence);
                break;
            case Outside::not_told: judge_hidden_wan(router, evidence); break;
            default: break;
        }
    }

    // Routers without a public outside address often name none and refuse, as miniupnpd does. The
    // hop alone is no proof: some providers use these addresses without translating.
    void judge_hidden_wan(const std::string& router, json::object evidence) {
        if (!search_.seen.carrier_hop) return;
        const std::string hop = search_.seen.carrier_hop->to_string();
        evidence["carrier_hop"] = hop;
        carrier_ = true;
        if (!refused_) {
            evidence["certain"] = false;
            result_.add("nat.double-nat", Severity::info,
                        router + " names no outside address, and behind it stands " + hop +
                            " in 100.64.0.0/10: perhaps a second NAT, the provider's",
                        evidence);
            return;
        }
        const std::string message =
            router + " names no outside address and will not forward ports, and behind it stands " +
            hop + " in 100.64.0.0/10";
        result_.add("nat.double-nat", Severity::warning,
                    message + ": two NATs, the second one being the provider's", evidence);
        result_.add("nat.cgnat", Severity::warning, message + ": the provider's NAT", evidence);
    }

    void judge_mismatch() {
        for (const GatewayReport& gateway : search_.found.gateways) {
            if (!gateway.pcp || *gateway.pcp) continue;
            if (gateway.pcp->error().problem != Problem::address_mismatch) continue;
            mismatch_ = true;
            result_.add(
                "nat.double-nat", Severity::warning,
                "There is a NAT between this machine and the router " +
                    gateway.address.to_string() +
                    ": it sees another address than this machine's own (PCP "
                    "ADDRESS_MISMATCH)",
                {{"router", gateway.address.to_string()}, {"local", gateway.local.to_string()}});
        }
    }

    struct Router {
        std::string name;
        bool preferred = false;
        Outside outside = Outside::not_told;
    };

    // One entry a router, by the identity that UPnP gives it, else by its address.
    std::map<std::string, Router> routers() const {
        std::map<std::string, Router> all;
        std::map<IpAddress, std::string> by_address;
        for (const IgdReport& igd : search_.found.igds) {
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
                router.outside = judge_outside((**igd.status).external, search_.seen);
            }
        }
        for (const Offer& offer : offers_) {
            if (offer.pinhole || offer.service.protocol == Protocol::upnp) continue;
            const auto known = by_address.find(offer.service.router);
            const std::string key =
                known == by_address.end() ? offer.service.router.to_string() : known->second;
            Router& router = all[key];
            if (router.name.empty()) router.name = offer.service.router.to_string();
            router.preferred = router.preferred || offer.preferred;
            if (router.outside == Outside::not_told) router.outside = outside_of(offer);
        }
        return all;
    }

    void judge_number() {
        const auto all = routers();
        if (all.size() < 2) return;
        std::vector<std::string> described;
        json::array list;
        for (const auto& [key, router] : all) {
            std::vector<std::string> notes;
            if (router.preferred) notes.push_back("on the way to the internet");
            if (router.outside == Outside::same_as_stun) notes.push_back("its address is ours");
            described.push_back(router.name + (notes.empty() ? "" : " (" + joined(notes) + ")"));
            list.push_back(json::object{{"router", router.name},
                                        {"on_default_route", router.preferred},
                                        {"outside", to_string(router.outside)}});
        }
        result_.add("portmap.multiple-gateways", Severity::warning,
                    std::to_string(all.size()) + " routers offer to forward ports: " +
                        joined(described) + ". A program may ask the wrong one",
                    {{"routers", std::move(list)}});
        several_ = true;
    }

    void finish() {
        if (usable_) {
            finish_usable();
        } else if (answered_) {
            result_.finish(P2PDIAG_WARN, "A router answers, but will not forward ports for us");
        } else if (!search_.complete) {
            result_.finish(P2PDIAG_UNKNOWN, "Interrupted before any router had answered");
        } else if (search_.found.gateways.empty()) {
            result_.finish(P2PDIAG_SKIP, "There is no router: this machine has no default gateway");
        } else {
            finish_none();
        }
    }

    void finish_usable() {
        std::vector<std::string> names;
        for (const Protocol protocol : {Protocol::upnp, Protocol::natpmp, Protocol::pcp}) {
            const std::string code(portmap::to_string(protocol));
            if (std::find(usable_protocols_.begin(), usable_protocols_.end(), code) !=
                usable_protocols_.end()) {
                names.emplace_back(display_name(protocol));
            }
        }
        std::string text = "The router offers to forward ports by " + joined(names);
        switch (outside_) {
            case Outside::same_as_stun:
                text += "; its outside address " + leading_->external->to_string() +
                        " is the one that servers see";
                break;
            case Outside::private_use:
            case Outside::carrier_grade:
                text += ", but another NAT is in front of it (outside address " +
                        leading_->external->to_string() + ")";
                break;
            case Outside::differs:
                text += "; its outside address " + leading_->external->to_string() +
                        " is not the one that servers see";
                break;
            case Outside::not_compared:
                text += "; its outside address " + leading_->external->to_string() +
                        " was not compared with what servers see";
                break;
            case Outside::not_told:
                if (carrier_) {
                    text += ", but perhaps the provider's NAT is in front of it (" +
                            search_.seen.carrier_hop->to_string() + ")";
                }
                break;
            default: break;
        }
        const bool limited = carrier_ || is_not_reachable(outside_) ||
                             outside_ == Outside::differs || mismatch_ || several_ || refused_;
        result_.finish(limited ? P2PDIAG_WARN : P2PDIAG_PASS, std::move(text));
    }

    void finish_none() {
        json::array tried;
        for (const GatewayReport& gateway : search_.found.gateways) {
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
        const bool no_nat = search_.seen.behind_nat == false;
        std::string message =
            "No router offers to forward ports: none answered to UPnP, NAT-PMP or PCP";
        if (!search_.found.igds.empty()) {
            message +=
                " (" + std::to_string(search_.found.igds.size()) + " other UPnP devices answered)";
        }
        result_.add("portmap.none", no_nat ? Severity::info : Severity::warning, message,
                    {{"tried", std::move(tried)}, {"waited_ms", search_.found.took.count()}});
        if (no_nat) {
            result_.finish(
                P2PDIAG_SKIP,
                "No router offers to forward ports, and none is needed: there is no NAT");
        } else {
            result_.finish(P2PDIAG_WARN, std::move(message));
        }
    }

    // What programs read: the answer to "can I ask for a port, and is it of any use?"
    void conclude() {
        json::object& data = result_.data;
        data["usable"] = to_array(usable_protocols_);
        data["external_address"] = nullptr;
        if (leading_ != nullptr && leading_->external) {
            data["external_address"] = leading_->external->to_string();
        }
        data["stun_addresses"] = json::array();
        for (const IpAddress& address : search_.seen.addresses) {
            data["stun_addresses"].as_array().push_back(json::value(address.to_string()));
        }
        data["outside"] =
            leading_ == nullptr ? json::value(nullptr) : json::value(to_string(outside_));
        data["nat_layers"] = nullptr;
        if (outside_ == Outside::same_as_stun) data["nat_layers"] = 1;
        if (outside_ == Outside::carrier_grade || mismatch_) data["nat_layers"] = 2;
        if (outside_ == Outside::private_use) data["nat_layers"] = 2;
        if (data["nat_layers"].is_null()) {
            data["nat_layers_reason"] =
                leading_ == nullptr ? json::value("no-router") : json::value(to_string(outside_));
        }
    }

    const Search& search_;
    std::vector<Offer> offers_;
    Judgement result_;
    const Offer* leading_ = nullptr;
    Outside outside_ = Outside::not_told;
    std::vector<std::string> usable_protocols_;
    bool answered_ = false;
    bool usable_ = false;
    bool refused_ = false;
    bool mismatch_ = false;
    bool several_ = false;
    bool carrier_ = false;
};

}  // namespace

Judgement judge_gateways(const Search& search) { return Judge(search).run(); }

}  // namespace p2pdiag::upnp_plugin
