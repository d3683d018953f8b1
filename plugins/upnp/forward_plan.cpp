#include "forward_plan.hpp"

#include <algorithm>

namespace p2pdiag::upnp_plugin {

using portmap::InForce;
using portmap::Protocol;

namespace {

// Ports offered in place of one that is taken.
constexpr unsigned most_alternatives = 4;

std::string upper(Transport transport) { return transport == Transport::udp ? "UDP" : "TCP"; }

std::string duration_text(portmap::Seconds lease) {
    const auto seconds = lease.count();
    if (seconds == 0) return "for good";
    if (seconds % 3600 == 0) return "for " + std::to_string(seconds / 3600) + " h";
    if (seconds % 60 == 0) return "for " + std::to_string(seconds / 60) + " min";
    return "for " + std::to_string(seconds) + " s";
}

bool is_usable(const Offer& offer) {
    if (!offer.ready) return false;
    return offer.pinhole || judge_outside(offer.external, {}) != Outside::unusable;
}

std::vector<Offer> chosen(const Wanted& wanted, const std::vector<Offer>& all, bool pinhole) {
    std::vector<Offer> found;
    for (const Offer& offer : all) {
        if (offer.pinhole != pinhole || !is_usable(offer)) continue;
        if (wanted.via && offer.service.protocol != *wanted.via) continue;
        if (found.size() < most_tries) found.push_back(offer);
    }
    return found;
}

const Lookup* find_lookup(const Situation& situation, const std::string& control_url,
                          Transport transport, std::uint16_t port) {
    for (const Lookup& lookup : situation.lookups) {
        if (lookup.control_url == control_url && lookup.transport == transport &&
            lookup.external_port == port) {
            return &lookup;
        }
    }
    return nullptr;
}

bool leads_to(const portmap::IgdMapping& mapping, const IpAddress& address, std::uint16_t port) {
    return mapping.internal_address == address && mapping.internal_port == port;
}

class Planner {
public:
    Planner(const Wanted& wanted, const Situation& situation, const NonceSource& nonces)
        : wanted_(wanted),
          situation_(situation),
          nonces_(nonces),
          all_(offers(situation.search.found, situation.search.ipv6)),
          mappings_(chosen(wanted, all_, false)),
          pinholes_(chosen(wanted, all_, true)) {}

    Judgement run() {
        // No UPnP, PCP or NAT-PMP, and a public address: whoever is in front maps nothing.
        for (const Transport transport : wanted_.transports) {
            if (!mappings_.empty()) plan_family(transport, Family::ipv4, mappings_);
            if (!pinholes_.empty() && !wanted_.external) {
                plan_family(transport, Family::ipv6, pinholes_);
            }
        }
        if (conflict_) {
            result_.data["steps"] = json::array();
            result_.finish(P2PDIAG_FAIL, conflict_text_);
        } else if (!steps_.empty()) {
            planned();
        } else if (already_ > 0) {
            skipped("Nothing to do: the port is forwarded already");
        } else {
            impossible();
        }
        if (!result_.data.contains("steps")) result_.data["steps"] = std::move(steps_);
        result_.data["notes"] = std::move(notes_);
        return std::move(result_);
    }

private:
    void note(std::string text) { notes_.push_back(json::value(text)); }

    void plan_family(Transport transport, Family family, const std::vector<Offer>& choice) {
        if (is_open(transport, family)) return;
        const Offer& first = choice.front();
        if (const OpenForward* ours = moved_by(transport, first)) {
            would_move(transport, *ours);
            return;
        }
        if (first.service.protocol == Protocol::upnp && family == Family::ipv4) {
            if (const portmap::IgdMapping* holder = holder_at(first, transport)) {
                if (leads_to(*holder, first.service.local, wanted_.port)) {
                    forwarded_by_other(transport, *holder);
                } else {
                    taken(first, transport, *holder);
                }
                return;
            }
        }
        add_step(transport, choice);
    }

    // An earlier forward of ours that still holds as far as can be told.
    bool is_open(Transport transport, Family family) {
        for (const OpenForward& open : situation_.open) {
            const portmap::MapRequest& request = open.step.request();
            if (request.transport != transport || request.internal_port != wanted_.port) continue;
            if (open.step.family() != family || open.lease_is_over) continue;
            if (request.external_port != wanted_.outside_port()) continue;
            if (open.in_force == InForce::no || open.in_force == InForce::foreign) continue;
            if (!open.record || open.record->granted() == nullptr) continue;
            ++already_;
            note(upper(transport) + " port " + std::to_string(wanted_.port) +
                 (family == Family::ipv6 ? " (IPv6)" : "") + " was forwarded before (" + open.id +
                 ")" +
                 (open.in_force == InForce::yes
                      ? " and is in force"
                      : "; the router cannot be asked whether it still is, but its time is not "
                        "over") +
                 ". Nothing keeps it longer than it was made for: for another time, or --keep, "
                 "take it back with 'p2pdiag undo " +
                 open.id + "' and add it again");
            return true;
        }
        return false;
    }

    // RFC 6886 section 3.3: a gateway keeps one mapping for an internal port, so that asking for
    // another external port moves, or returns, the one that is there.
    const OpenForward* moved_by(Transport transport, const Offer& offer) const {
        if (offer.service.protocol != Protocol::natpmp) return nullptr;
        for (const OpenForward& open : situation_.open) {
            const Attempt* granted = open.record ? open.record->granted() : nullptr;
            if (granted == nullptr || open.lease_is_over) continue;
            const Try& made = open.step.tries.at(granted->index);
            if (made.service.protocol == Protocol::natpmp &&
                made.service.router == offer.service.router &&
                made.request.transport == transport && made.request.internal_port == wanted_.port) {
                return &open;
            }
        }
        return nullptr;
    }

    void would_move(Transport transport, const OpenForward& ours) {
        conflict_ = true;
        conflict_text_ =
            upper(transport) + " port " + std::to_string(wanted_.port) +
            " is forwarded from external port " +
            std::to_string(ours.record->granted()->grant->external_port) +
            " already, and NAT-PMP forwards a port from one external port alone: take that back "
            "first, with 'p2pdiag undo " +
            ours.id + '\'';
        result_.add("portmap.conflict", Severity::error, conflict_text_,
                    {{"change", ours.id}, {"protocol", "natpmp"}});
    }

    const portmap::IgdMapping* holder_at(const Offer& offer, Transport transport) const {
        const Lookup* lookup =
            find_lookup(situation_, offer.service.control_url, transport, wanted_.outside_port());
        return lookup != nullptr && lookup->holder ? &*lookup->holder : nullptr;
    }

    void forwarded_by_other(Transport transport, const portmap::IgdMapping& holder) {
        ++already_;
        note(upper(transport) + " port " + std::to_string(holder.external_port) +
             " is forwarded to this machine already, by \"" + shown_description(holder) +
             "\". It is not ours and stays as it is");
    }

    void taken(const Offer& offer, Transport transport, const portmap::IgdMapping& holder) {
        conflict_ = true;
        const std::string whose =
            holder.internal_address
                ? Endpoint{*holder.internal_address, holder.internal_port}.to_string()
                : "somebody else";
        conflict_text_ = upper(transport) + " port " + std::to_string(holder.external_port) +
                         " of the router " + offer.router_name + " is forwarded to " + whose +
                         " already (\"" + shown_description(holder) + "\")";
        json::object evidence{{"router", offer.service.router.to_string()},
                              {"holder", mapping_to_json(holder)},
                              {"free_external_port", nullptr}};
        if (const auto free = free_port(offer)) {
            evidence["free_external_port"] = *free;
            note("Another external port is free: add --external " + std::to_string(*free) +
                 ". Peers must then be told that port.");
        }
        note("Or delete that entry on the router's own pages, if it is not needed.");
        result_.add("portmap.conflict", Severity::error, conflict_text_, std::move(evidence));
    }

    // Free for all the transports that are wanted.
    std::optional<std::uint16_t> free_port(const Offer& offer) const {
        for (unsigned i = 1; i <= most_alternatives; ++i) {
            const unsigned port = wanted_.outside_port() + i;
            if (port > 65535) break;
            const auto candidate = static_cast<std::uint16_t>(port);
            const bool free = std::all_of(
                wanted_.transports.begin(), wanted_.transports.end(), [&](Transport transport) {
                    const Lookup* lookup =
                        find_lookup(situation_, offer.service.control_url, transport, candidate);
                    return lookup != nullptr && lookup->known && !lookup->holder;
                });
            if (free) return candidate;
        }
        return std::nullopt;
    }

    void add_step(Transport transport, const std::vector<Offer>& choice) {
        Step step;
        const bool pinhole = choice.front().pinhole;
        for (const Offer& offer : choice) {
            Try one;
            one.service = offer.service;
            one.interface_name = offer.interface_name;
            one.router_name = offer.router_name;
            one.request.transport = transport;
            one.request.internal_port = wanted_.port;
            one.request.external_port = pinhole ? wanted_.port : wanted_.outside_port();
            one.request.lifetime = wanted_.lease;
            one.request.nonce = nonces_();
            one.request.exact = wanted_.external.has_value();
            step.tries.push_back(std::move(one));
        }
        const Try& first = step.tries.front();
        const std::string port = upper(transport) + " port " + std::to_string(wanted_.port);
        const std::string local = first.service.local.to_string();
        const std::string how = std::string(" ") + duration_text(wanted_.lease) + ", by " +
                                std::string(display_name(first.service.protocol));
        std::string title;
        std::string undo;
        if (pinhole) {
            title = "Let " + port + " to " + local + " through the IPv6 firewall of the router " +
                    first.router_name;
            undo = "Close " + port + " in the router's IPv6 firewall again";
        } else {
            const std::string outside =
                upper(transport) + " port " + std::to_string(first.request.external_port);
            title = "Forward " + outside + " of the router " + first.router_name + " to " +
                    Endpoint{first.service.local, wanted_.port}.to_string();
            undo = "Delete the forward of " + outside + " from the router";
        }
        json::object match{{"port", wanted_.port},
                           {"external", first.request.external_port},
                           {"protocol", to_string(transport)},
                           {"family", to_string(step.family())}};
        steps_.push_back(json::object{{"title", title + how},
                                      {"undo", undo},
                                      {"match", std::move(match)},
                                      {"step", to_json(step)}});
    }

    void planned() {
        const bool mapped = !mappings_.empty();
        result_.finish(P2PDIAG_PASS,
                       steps_.size() == 1 ? "One step" : std::to_string(steps_.size()) + " steps");
        if (mapped && mappings_.size() > 1) {
            std::string order;
            for (std::size_t i = 1; i < mappings_.size(); ++i) {
                order += order.empty() ? "" : ", then ";
                order += display_name(mappings_[i].service.protocol);
                if (!same_router(mappings_[i].service, mappings_.front().service)) {
                    order += " of " + mappings_[i].router_name;
                }
            }
            note("If that fails: " + order + ".");
        }
        note(
            "The router forgets it " + after_text() +
            "; with --keep it is renewed for as long as the command runs, and removed at its end.");
        if (mapped) {
            note_outside();
        } else {
            note("This opens IPv6 alone: no router offers to forward an IPv4 port.");
            for (const std::string& step : manual_steps(wanted_, situation_.search)) note(step);
        }
        if (situation_.search.ipv6 && pinholes_.empty()) {
            note("IPv6: no router offers to open its firewall for " +
                 situation_.search.ipv6->to_string() +
                 ". If peers are to come by IPv6, allow the port there by hand.");
        }
        if (wanted_.external && !pinholes_.empty()) {
            note("IPv6 is left out, since a pinhole cannot have another external port.");
        }
    }

    std::string after_text() const {
        std::string text = duration_text(wanted_.lease);
        return "after " + text.substr(4);
    }

    void note_outside() {
        const Outside outside = judge_outside(mappings_.front().external, {});
        if (outside == Outside::not_told && situation_.search.seen.carrier_hop) {
            note_carrier();
            for (const std::string& way : ways_out(Outside::carrier_grade)) note(way);
        }
        if (!is_not_reachable(outside)) return;
        note("The router's own outside address is " + mappings_.front().external->to_string() +
             ", which cannot be reached from the internet: this forward alone will not let peers "
             "in.");
        for (const std::string& way : ways_out(outside)) note(way);
    }

    void note_carrier() {
        const std::string hop = situation_.search.seen.carrier_hop->to_string();
        result_.add(
            "nat.cgnat", Severity::warning,
            "On the way to the internet stands " + hop +
                " in 100.64.0.0/10: probably the provider's NAT. Then a forward in one's own "
                "router cannot be reached from the internet",
            {{"carrier_hop", hop}});
        note("On the way to the internet stands " + hop +
             ", probably the provider's NAT, behind which no forward of your own router can be "
             "reached.");
    }

    void skipped(std::string why) { result_.finish(P2PDIAG_SKIP, std::move(why)); }

    void impossible() {
        const Search& search = situation_.search;
        if (!search.complete && all_.empty()) {
            result_.finish(P2PDIAG_UNKNOWN, "Interrupted before any router had answered");
            return;
        }
        const auto direct = std::find_if(
            search.found.gateways.begin(), search.found.gateways.end(),
            [](const auto& gateway) { return gateway.preferred && gateway.local.is_v4(); });
        if (all_.empty() && direct != search.found.gateways.end() && direct->local.is_public()) {
            note(
                "If peers cannot reach it all the same, a firewall is in the way: that of this "
                "machine, or one of the network.");
            skipped("Nothing to do: this machine has the public address " +
                    direct->local.to_string() + " itself, so there is no router to forward a port");
            return;
        }
        if (other_protocols()) return;
        const Judgement judged = judge_gateways(search);
        for (const Finding& finding : judged.findings) {
            if (finding.severity != Severity::info) result_.findings.push_back(finding);
        }
        advise(judged);
    }

    // A router answers, but not to the protocol that was asked for.
    bool other_protocols() {
        if (!wanted_.via) return false;
        std::string others;
        for (const Offer& offer : all_) {
            if (!is_usable(offer) || offer.pinhole) continue;
            const std::string name(portmap::to_string(offer.service.protocol));
            if (others.find(name) != std::string::npos) continue;
            others += (others.empty() ? "" : ", ") + name;
        }
        if (others.empty()) return false;
        note("Leave out --via, or choose one of these: " + others + ".");
        result_.finish(P2PDIAG_FAIL, "No router forwards ports by " +
                                         std::string(display_name(*wanted_.via)) +
                                         ", but there is another way: " + others);
        return true;
    }

    void advise(const Judgement& judged) {
        const Search& search = situation_.search;
        const Offer* router = leading(all_);
        const Outside outside =
            router == nullptr ? Outside::not_told : judge_outside(router->external, {});
        const bool carrier = outside == Outside::carrier_grade || search.seen.carrier_hop;
        if (carrier) {
            if (!judged.has("nat.cgnat")) note_carrier();
            for (const std::string& way : ways_out(Outside::carrier_grade)) note(way);
            result_.finish(
                P2PDIAG_FAIL,
                std::string(router == nullptr ? "No router answers to UPnP, NAT-PMP or PCP, and "
                                              : "The router will not forward ports, and ") +
                    "the provider's NAT stands in front of it: a forward could not be "
                    "reached from the internet");
            return;
        }
        if (router == nullptr) {
            result_.finish(P2PDIAG_FAIL, judged.has("portmap.none")
                                             ? "No router answers to UPnP, NAT-PMP or PCP: it "
                                               "cannot be done from here"
                                             : judged.summary);
        } else {
            result_.finish(P2PDIAG_FAIL, "The router answers, but will not forward the port");
            if (is_not_reachable(outside)) {
                for (const std::string& way : ways_out(outside)) note(way);
            }
            note(
                "Routers refuse when their own outside address is not public, which means another "
                "NAT in front of them, or when forwarding by programs is switched off in their "
                "settings.");
        }
        for (const std::string& step : manual_steps(wanted_, search)) note(step);
    }

    const Wanted& wanted_;
    const Situation& situation_;
    const NonceSource& nonces_;
    std::vector<Offer> all_;
    std::vector<Offer> mappings_;
    std::vector<Offer> pinholes_;
    Judgement result_;
    json::array steps_;
    json::array notes_;
    unsigned already_ = 0;
    bool conflict_ = false;
    std::string conflict_text_;
};

}  // namespace

std::optional<Wanted> Wanted::parse(const json::object& arguments) {
    Wanted wanted;
    const auto port = json::find_integer(arguments, "port");
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    wanted.port = static_cast<std::uint16_t>(*port);
    if (const auto external = json::find_integer(arguments, "external")) {
        if (*external < 1 || *external > 65535) return std::nullopt;
        wanted.external = static_cast<std::uint16_t>(*external);
    }
    const auto protocol = json::find_string(arguments, "protocol").value_or("udp");
    if (protocol == "both") {
        wanted.transports = {Transport::udp, Transport::tcp};
    } else if (const auto transport = parse_transport(protocol)) {
        wanted.transports = {*transport};
    } else {
        return std::nullopt;
    }
    if (const auto milliseconds = json::find_integer(arguments, "lease")) {
        if (*milliseconds < 1000) return std::nullopt;
        wanted.lease = portmap::Seconds(*milliseconds / 1000);
    }
    const auto via = json::find_string(arguments, "via").value_or("auto");
    if (via == "auto") return wanted;
    wanted.via = portmap::parse_protocol(via);
    if (!wanted.via) return std::nullopt;
    return wanted;
}

std::vector<Lookup> lookups_to_make(const Wanted& wanted, const Situation& situation) {
    const auto all = offers(situation.search.found, situation.search.ipv6);
    const auto choice = chosen(wanted, all, false);
    if (choice.empty() || choice.front().service.protocol != Protocol::upnp) return {};
    const std::string& url = choice.front().service.control_url;
    std::vector<Lookup> missing;
    bool taken = false;
    const auto want = [&](Transport transport, std::uint16_t port) {
        const Lookup* known = find_lookup(situation, url, transport, port);
        if (known == nullptr) missing.push_back({url, transport, port, std::nullopt, true});
        return known;
    };
    for (const Transport transport : wanted.transports) {
        const Lookup* known = want(transport, wanted.outside_port());
        if (known == nullptr || !known->holder) continue;
        taken = taken || !leads_to(*known->holder, choice.front().service.local, wanted.port);
    }
    if (!taken) return missing;
    for (unsigned i = 1; i <= most_alternatives; ++i) {
        const unsigned port = wanted.outside_port() + i;
        if (port > 65535) break;
        for (const Transport transport : wanted.transports) {
            want(transport, static_cast<std::uint16_t>(port));
        }
    }
    return missing;
}

Judgement make_plan(const Wanted& wanted, const Situation& situation, const NonceSource& nonces) {
    return Planner(wanted, situation, nonces).run();
}

}  // namespace p2pdiag::upnp_plugin
