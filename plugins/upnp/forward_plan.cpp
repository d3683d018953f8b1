#include "forward_plan.hpp"

#include <algorithm>

#include "failures.hpp"
#include "plan_draft.hpp"
#include "test_record.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::InForce;
using portmap::Protocol;

namespace {

class Planner {
public:
    Planner(const Wanted& wanted, const Situation& situation, const NonceSource& nonces)
        : wanted_(wanted),
          situation_(situation),
          nonces_(nonces),
          draft_{wanted, situation, choose(wanted, situation.search), {}, {}, {}} {}

    Judgement run() {
        for (const Transport transport : wanted_.transports) {
            plan_family(transport, Family::ipv4, draft_.choice.mappings);
            if (!wanted_.external) plan_family(transport, Family::ipv6, draft_.choice.pinholes);
        }
        if (conflict_) {
            draft_.steps.clear();
        } else if (!draft_.steps.empty()) {
            planned();
        } else if (perhaps_) {
            draft_.result.finish(P2PDIAG_UNKNOWN,
                                 "The port may be forwarded already, and the router cannot be "
                                 "asked whether it still is");
        } else if (ends_soon_) {
            draft_.result.finish(P2PDIAG_UNKNOWN,
                                 "The port is forwarded already, and perhaps for two minutes more: "
                                 "try again then");
        } else if (already_) {
            draft_.result.finish(P2PDIAG_SKIP, "Nothing to do: the port is forwarded already");
        } else {
            explain_impossible(draft_);
        }
        draft_.result.data["steps"] = std::move(draft_.steps);
        draft_.result.data["notes"] = std::move(draft_.notes);
        return std::move(draft_.result);
    }

private:
    void plan_family(Transport transport, Family family, const std::vector<Offer>& offers) {
        if (offers.empty() || goes_on(transport, family, offers)) return;
        const Offer& first = offers.front();
        if (const OpenForward* ours = moved_by(transport, first)) {
            conflict_ = true;
            explain_moving(draft_, transport, *ours);
            return;
        }
        const portmap::IgdMapping* holder = holder_at(first, transport);
        if (holder == nullptr) {
            makes_new_ = makes_new_ || family == Family::ipv4;
            add_new_step(draft_, transport, offers, nonces_);
        } else if (leads_to(*holder, first.service.local, wanted_.port)) {
            forwarded_by_other(transport, *holder);
        } else {
            conflict_ = true;
            explain_taken(draft_, first, transport, *holder);
        }
    }

    // An earlier forward of ours of this very port gets its time anew, rather than a second one
    // beside it.
    bool goes_on(Transport transport, Family family, const std::vector<Offer>& offers) {
        for (const OpenForward& open : situation_.open) {
            const portmap::MapRequest& request = open.step.request();
            if (request.transport != transport || request.internal_port != wanted_.port) continue;
            if (request.external_port != wanted_.outside_port()) continue;
            if (open.step.family() != family || open.in_force == InForce::foreign) continue;
            const auto made = open.made_by();
            if (!made) continue;
            if (open.held_by) {
                already(open,
                        "is kept up or worked on by process " + std::to_string(*open.held_by));
                return true;
            }
            if (open.router_is_another) {
                made_elsewhere(open, *made);
                continue;
            }
            if (const Offer* offer = find_same(offers, *made)) {
                draft_.note(subject(open) + ' ' + how_it_stands(open) + " (" + open.id +
                            "): it is asked for again, for the whole time.");
                add_renewal(draft_, open, *offer);
                return true;
            }
            const bool may_hold = open.in_force != InForce::no && !open.lease_is_over;
            if (find_same_router(*made) && may_hold) {
                const bool sure = open.in_force == InForce::yes;
                perhaps_ = perhaps_ || !sure;
                already(open, (sure ? "is forwarded by " : "may be forwarded by ") +
                                  std::string(display_name(made->service.protocol)) +
                                  " already. To have it by another protocol, take it back first, "
                                  "with 'p2pdiag undo " +
                                  open.id + '\'');
                return true;
            }
            if (may_hold && !find_same_router(*made)) made_elsewhere(open, *made);
        }
        return false;
    }

    // It is not taken for what is wanted now, and stays.
    void made_elsewhere(const OpenForward& open, const Try& made) {
        const auto& all = draft_.choice.all;
        const bool here = std::any_of(all.begin(), all.end(), [&](const Offer& offer) {
            return same_device(offer.service, made.service) && !open.router_is_another;
        });
        draft_.note(subject(open) + " was forwarded before by " +
                    std::string(display_name(made.service.protocol)) + " of " + made.router_name +
                    " to " + made.service.local.to_string() + " (" + open.id + "), " +
                    (here ? "which is not this machine's address any more"
                          : "and that router is not among those that answer here") +
                    ". It is not touched; 'p2pdiag undo " + open.id + "' takes it back.");
    }

    std::string subject(const OpenForward& open) const {
        return port_words(open.step.request().transport, wanted_.port) +
               (open.step.pinhole() ? " (IPv6)" : "");
    }

    static std::string how_it_stands(const OpenForward& open) {
        if (open.in_force == InForce::yes) return "was forwarded before, and is in force";
        if (open.in_force == InForce::no) return "was forwarded before, and is not in force any more";
        return "was forwarded before, and the router cannot be asked whether it still is";
    }

    void already(const OpenForward& open, const std::string& how) {
        already_ = true;
        draft_.note(subject(open) + ' ' + how + " (" + open.id + ").");
    }

    // Elsewhere another router may have the same address, and the forward is not there. By UPnP it
    // has a name.
    static bool same_device(const portmap::Service& a, const portmap::Service& b) {
        if (!a.udn.empty() && !b.udn.empty()) return a.udn == b.udn;
        return a.router == b.router;
    }

    static bool same_way(const portmap::Service& a, const portmap::Service& b) {
        return same_device(a, b) && a.local == b.local;
    }

    static const Offer* find_same(const std::vector<Offer>& offers, const Try& made) {
        for (const Offer& offer : offers) {
            if (offer.service.protocol == made.service.protocol &&
                same_way(offer.service, made.service)) {
                return &offer;
            }
        }
        return nullptr;
    }

    bool find_same_router(const Try& made) const {
        for (const Offer& offer : draft_.choice.all) {
            if (same_way(offer.service, made.service)) return true;
        }
        return false;
    }

    // RFC 6886 section 3.3: a gateway keeps one mapping for an internal port, so that asking for
    // another external port moves, or returns, the one that is there.
    const OpenForward* moved_by(Transport transport, const Offer& offer) const {
        if (offer.service.protocol != Protocol::natpmp) return nullptr;
        for (const OpenForward& open : situation_.open) {
            const Attempt* granted = open.record ? open.record->granted() : nullptr;
            if (granted == nullptr || open.lease_is_over || open.router_is_another) continue;
            const Try made = try_of(open.step, *granted);
            if (made.service.protocol == Protocol::natpmp &&
                same_device(made.service, offer.service) && made.request.transport == transport &&
                made.request.internal_port == wanted_.port) {
                return &open;
            }
        }
        return nullptr;
    }

    const portmap::IgdMapping* holder_at(const Offer& offer, Transport transport) const {
        if (offer.service.protocol != Protocol::upnp || offer.pinhole) return nullptr;
        const Lookup* lookup =
            find_lookup(situation_, offer.service.control_url, transport, wanted_.outside_port());
        if (lookup == nullptr || !lookup->holder) return nullptr;
        const auto& tests = situation_.test_ids;
        const auto of_test =
            std::find(tests.begin(), tests.end(), id_of(lookup->holder->description));
        return of_test == tests.end() ? &*lookup->holder : nullptr;
    }

    void forwarded_by_other(Transport transport, const portmap::IgdMapping& holder) {
        already_ = true;
        const std::string what = port_words(transport, holder.external_port) +
                                 " is forwarded to this machine already, by ";
        const std::string id(id_of(holder.description));
        if (id.empty()) {
            draft_.note(what + "\"" + shown_description(holder) +
                        "\". It is not ours and stays as it is");
        } else {
            const bool ends_soon = holder.lease.count() > 0 && holder.lease <= test_lease;
            ends_soon_ = ends_soon_ || ends_soon;
            draft_.note(what + "a p2pdiag with another journal, as another user has (" + id +
                        "). It stays as it is" +
                        (ends_soon ? ". The router forgets it within two minutes, if nobody renews "
                                     "it: a test of upnp.mapping that was killed looks like this"
                                   : ""));
        }
    }

    void planned() {
        const auto& mappings = draft_.choice.mappings;
        draft_.result.finish(P2PDIAG_PASS, draft_.steps.size() == 1
                                               ? "One step"
                                               : std::to_string(draft_.steps.size()) + " steps");
        if (makes_new_) note_order();
        draft_.note("The router forgets it after " + duration_text(wanted_.lease).substr(4) +
                    "; with --keep it is renewed for as long as the command runs, and removed at "
                    "its end.");
        if (!mappings.empty()) {
            note_outside();
        } else {
            draft_.note("This opens IPv6 alone: no router offers to forward an IPv4 port.");
            for (const std::string& step : manual_steps(wanted_, situation_.search)) {
                draft_.note(step);
            }
        }
        if (situation_.search.ipv6 && draft_.choice.pinholes.empty()) {
            draft_.note("IPv6: no router offers to open its firewall for " +
                        situation_.search.ipv6->to_string() +
                        ". If peers are to come by IPv6, allow the port there by hand.");
        }
        if (wanted_.external && !draft_.choice.pinholes.empty()) {
            draft_.note("IPv6 is left out, since a pinhole cannot have another external port.");
        }
    }

    void note_order() {
        const auto& mappings = draft_.choice.mappings;
        std::string order;
        for (std::size_t i = 1; i < mappings.size(); ++i) {
            order += order.empty() ? "" : ", then ";
            order += display_name(mappings[i].service.protocol);
            if (!same_router(mappings[i].service, mappings.front().service)) {
                order += " of " + mappings[i].router_name;
            }
        }
        if (!order.empty()) draft_.note("If that fails: " + order + ".");
    }

    void note_outside() {
        const auto& external = draft_.choice.mappings.front().external;
        const Outside outside = judge_outside(external, {});
        if (outside == Outside::not_told && situation_.search.seen.carrier_hop) {
            note_carrier(draft_);
            for (const std::string& way : ways_out(Outside::carrier_grade)) draft_.note(way);
        }
        if (!is_not_reachable(outside)) return;
        draft_.note("The router's own outside address is " + external->to_string() +
                    ", which cannot be reached from the internet: this forward alone will not let "
                    "peers in.");
        for (const std::string& way : ways_out(outside)) draft_.note(way);
    }

    const Wanted& wanted_;
    const Situation& situation_;
    const NonceSource& nonces_;
    Draft draft_;
    bool already_ = false;
    bool perhaps_ = false;    // … as far as is known
    bool ends_soon_ = false;  // … and perhaps not for long
    bool makes_new_ = false;  // an IPv4 forward
    bool conflict_ = false;
};

}  // namespace

Judgement make_plan(const Wanted& wanted, const Situation& situation, const NonceSource& nonces) {
    return Planner(wanted, situation, nonces).run();
}

}  // namespace p2pdiag::upnp_plugin
