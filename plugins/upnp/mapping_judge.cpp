#include <algorithm>

#include "forward_verify.hpp"
#include "gateways.hpp"
#include "mapping_check.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::InForce;
using portmap::Problem;
using portmap::Protocol;

namespace {

constexpr unsigned most_ports = 32;

std::string_view to_string(InForce in_force) {
    switch (in_force) {
        case InForce::yes: return "yes";
        case InForce::no: return "no";
        case InForce::foreign: return "foreign";
        case InForce::unknown: break;
    }
    return "unknown";
}

json::object failure_to_json(const portmap::Failure& failure) {
    return {{"problem", portmap::to_string(failure.problem)},
            {"code", failure.code},
            {"text", failure.text}};
}

// Of the router that the offer belongs to, whichever protocol it is for.
const portmap::IgdMappings* list_of(const Offer& offer, const portmap::Discovered& found) {
    for (const portmap::IgdReport& igd : found.igds) {
        const bool same = igd.answer.from == offer.service.router;
        if (same && igd.mappings && *igd.mappings) return &**igd.mappings;
    }
    return nullptr;
}

class MappingJudge {
public:
    explicit MappingJudge(const MappingTest& test) : test_(test) {}

    Judgement run() {
        json::array trials;
        for (const Trial& trial : test_.trials) {
            judge(trial);
            trials.push_back(describe(trial));
        }
        result_.data["trials"] = std::move(trials);
        result_.data["target_port"] = test_.target_port;
        result_.data["complete"] = test_.complete;
        json::array refusing;
        for (const Offer& offer : test_.not_ready) {
            refusing.push_back(
                json::object{{"protocol", portmap::to_string(offer.service.protocol)},
                             {"router", offer.service.router.to_string()},
                             {"why", offer.why_not}});
        }
        result_.data["not_ready"] = std::move(refusing);
        conclude();
        add_leftovers();
        return std::move(result_);
    }

private:
    static bool in_force(const Trial& trial) {
        return trial.read_back && trial.read_back->in_force == InForce::yes;
    }

    static bool made_nothing(Problem problem) {
        return says_no(problem) || problem == Problem::absent || problem == Problem::no_route ||
               problem == Problem::kept_here;
    }

    // Asked for, and not known to be gone or never to have been made.
    void judge_removal(const Trial& trial) {
        if (!trial.asked || (trial.removed && *trial.removed)) return;
        const bool granted = trial.granted && *trial.granted;
        if (trial.granted && !granted && made_nothing(trial.granted->error().problem)) return;
        const portmap::MapRequest& request = trial.asked->request;
        const std::uint16_t port =
            granted ? (**trial.granted).external_port : request.external_port;
        const std::optional<portmap::Seconds> lease =
            granted ? (**trial.granted).lifetime : request.lifetime;
        leftover_ = std::string(trial.removed ? "A test mapping could not be removed: "
                                              : "It is not known that a test mapping is gone: ") +
                    port_words(request.transport, port) + " of " + trial.offer.router_name + " (" +
                    lease_words(lease) + ')';
    }

    void judge(const Trial& trial) {
        judge_removal(trial);
        if (!trial.asked || !trial.granted) return;
        const Try& asked = *trial.asked;
        if (!*trial.granted) {
            const Problem problem = trial.granted->error().problem;
            if (!is_answer(problem)) {
                ++silent_;
            } else if (problem == Problem::permanent_only) {
                ++permanent_;
            } else {
                ++refused_;
            }
            add_failure(result_, asked, trial.granted->error());
            return;
        }
        const portmap::MapGrant& grant = **trial.granted;
        add_grant(result_, asked, grant);
        const Judgement works = judge_works(trial, grant);
        if (works.status == P2PDIAG_FAIL) {
            ++(works.has("portmap.conflict") ? refused_ : empty_);
            for (const Finding& finding : works.findings) {
                json::object evidence = finding.evidence;
                evidence["trial"] = describe(trial);
                result_.add(finding.code, finding.severity, finding.message, std::move(evidence));
            }
        } else {
            ++worked_;
            const std::string name(display_name(trial.offer.service.protocol));
            if (names_.find(name) == std::string::npos) {
                names_ += (names_.empty() ? "" : ", ") + name;
            }
            if (in_force(trial) || came_in(trial)) seen_ = true;
            if (came_in(trial)) {
                came_in_ = true;
                add_works(trial, grant);
            } else if (trial.proof) {
                no_packet_ = no_packet(*trial.proof);
            }
            for (const Finding& finding : works.findings) {
                result_.add(finding.code, finding.severity, finding.message, finding.evidence);
            }
            no_outside_ = no_outside_ || works.has("portmap.external-private");
        }
    }

    static bool came_in(const Trial& trial) {
        return trial.proof && trial.proof->result &&
               (trial.proof->result->proof == Proof::arrived ||
                trial.proof->result->proof == Proof::stopped_here);
    }

    // Where packets cannot be seen at the interface, silence is not held against the router.
    static std::string no_packet(const OutsideProof& proof) {
        if (proof.result && proof.result->proof == Proof::not_arrived) {
            return "a packet from outside did not come in, which a firewall here may have stopped";
        }
        return "not tried by a packet: " + why_no_packet(proof.why_not);
    }

    // Whatever stands before the router lets in what it forwards.
    void add_works(const Trial& trial, const portmap::MapGrant& grant) {
        const OutsideProof& proof = *trial.proof;
        const IpAddress& address =
            trial.offer.pinhole ? trial.offer.service.local : *proof.public_address;
        const std::string external = Endpoint{address, grant.external_port}.to_string();
        result_.add("portmap.forward-works", Severity::info,
                    "A packet from outside came in to " + external + " while " +
                        std::string(display_name(trial.offer.service.protocol)) + " of " +
                        trial.offer.router_name + " forwarded it",
                    {{"protocol", "udp"},
                     {"family", to_string(address.family())},
                     {"via", portmap::to_string(trial.offer.service.protocol)},
                     {"router", trial.offer.service.router.to_string()},
                     {"port", grant.internal_port},
                     {"external", external},
                     {"server", proof.server->to_string()},
                     {"seen_by_program", proof.result->at_socket}});
    }

    // As `forward add` judges it, but for this machine's own firewall: which of its ports that lets
    // in is not asked here, and the port may be another one than the program's.
    static Judgement judge_works(const Trial& trial, const portmap::MapGrant& grant) {
        VerifyFacts facts{*trial.asked, grant, trial.proof, {}, false};
        if (trial.read_back) facts.read_back = *trial.read_back;
        if (facts.proof && facts.proof->result) {
            const Proof proof = facts.proof->result->proof;
            const bool firewall_or_router = proof == Proof::not_arrived && !facts.proof->tapped;
            if (proof == Proof::stopped_here || firewall_or_router) facts.proof->result.reset();
        }
        return judge_forward(facts);
    }

    json::object describe(const Trial& trial) const {
        json::object object{{"protocol", portmap::to_string(trial.offer.service.protocol)},
                            {"router", trial.offer.service.router.to_string()},
                            {"ipv6_pinhole", trial.offer.pinhole},
                            {"asked", nullptr},
                            {"granted", nullptr},
                            {"why", nullptr},
                            {"packet", nullptr},
                            {"read_back", nullptr},
                            {"removed", nullptr}};
        if (trial.asked) {
            const portmap::MapRequest& request = trial.asked->request;
            object["asked"] = json::object{{"internal_port", request.internal_port},
                                           {"external_port", request.external_port},
                                           {"lease_s", request.lifetime.count()}};
        }
        if (trial.granted && *trial.granted) {
            const portmap::MapGrant& grant = **trial.granted;
            json::object granted{{"external_port", grant.external_port},
                                 {"lease_s", nullptr},
                                 {"external_address", nullptr}};
            if (grant.lifetime) granted["lease_s"] = grant.lifetime->count();
            if (grant.external_address) {
                granted["external_address"] = grant.external_address->to_string();
            }
            object["granted"] = std::move(granted);
        } else if (trial.granted) {
            object["why"] = failure_to_json(trial.granted->error());
        }
        if (trial.proof) object["packet"] = json::text_or_null(trial.proof->why_not);
        if (trial.read_back) object["read_back"] = to_string(trial.read_back->in_force);
        if (trial.removed) object["removed"] = trial.removed->has_value();
        return object;
    }

    void add_leftovers() {
        const Leftovers& earlier = test_.leftovers;
        json::array leftovers;
        for (const std::string& what : earlier.removed) {
            leftovers.push_back(json::object{{"what", what}, {"removed", true}});
        }
        for (const std::string& what : earlier.left) {
            leftovers.push_back(json::object{{"what", what}, {"removed", false}});
        }
        result_.data["leftovers"] = std::move(leftovers);
        if (earlier.left.empty()) return;
        const auto status = result_.status == P2PDIAG_PASS ? P2PDIAG_WARN : result_.status;
        result_.finish(status, result_.summary +
                                   ". A test mapping of an earlier run may still be there: " +
                                   earlier.left.front());
    }

    void conclude() {
        const bool tried = worked_ + refused_ + empty_ + silent_ + permanent_ > 0;
        if (!leftover_.empty()) {
            const bool none_made = worked_ + permanent_ == 0 && refused_ + empty_ > 0;
            result_.finish(none_made ? P2PDIAG_FAIL : P2PDIAG_WARN, leftover_);
        } else if (!test_.searched || (!test_.complete && !tried)) {
            result_.finish(P2PDIAG_UNKNOWN, "Interrupted before a mapping had been tried");
        } else if (test_.trials.empty()) {
            conclude_untried();
        } else if (worked_ > 0) {
            const bool limited = refused_ + empty_ + silent_ > 0 || no_outside_ ||
                                 result_.has("portmap.permanent-only");
            std::string text = "The router makes and removes forwards by " + names_;
            if (!seen_) text += "; it cannot be asked whether they are in force";
            if (no_outside_) text += "; but it names no outside address that could be used";
            if (!came_in_ && !no_packet_.empty()) text += "; " + no_packet_;
            result_.finish(limited ? P2PDIAG_WARN : P2PDIAG_PASS, std::move(text));
        } else if (refused_ + empty_ > 0) {
            result_.finish(P2PDIAG_FAIL,
                           "The router makes no forward: " + result_.findings.front().message);
        } else if (permanent_ > 0) {
            result_.finish(P2PDIAG_WARN,
                           "The router seems to make forwards for good alone, which was not tried: "
                           "one could stay behind");
        } else if (silent_ > 0) {
            result_.finish(P2PDIAG_UNKNOWN, result_.findings.front().message);
        } else {
            result_.finish(P2PDIAG_UNKNOWN, "No port was free to try a forward with");
        }
    }

    void conclude_untried() {
        // Mappings first: that a router will not open its IPv6 firewall says nothing of those.
        std::vector<Offer> asked = test_.not_ready;
        const auto pinholes = std::stable_partition(
            asked.begin(), asked.end(), [](const Offer& offer) { return !offer.pinhole; });
        if (pinholes != asked.begin()) asked.erase(pinholes, asked.end());
        const auto refusing = std::find_if(asked.begin(), asked.end(),
                                           [](const Offer& offer) { return !offer.undecided; });
        if (refusing != asked.end()) {
            result_.finish(P2PDIAG_FAIL,
                           "A router answers, but will not forward ports: " + refusing->why_not);
        } else if (!asked.empty()) {
            result_.finish(
                P2PDIAG_UNKNOWN,
                "A router answers, but not whether it forwards ports: " + asked.front().why_not);
        } else if (test_.unread) {
            result_.finish(P2PDIAG_UNKNOWN,
                           "A router answers to UPnP, but its description was not read (" +
                               *test_.unread + ')');
        } else {
            result_.finish(P2PDIAG_SKIP, "No router offers to forward ports");
        }
    }

    const MappingTest& test_;
    Judgement result_;
    unsigned worked_ = 0;
    unsigned refused_ = 0;
    unsigned empty_ = 0;      // says that it has made it, and does not list it
    unsigned silent_ = 0;     // did not say anything
    unsigned permanent_ = 0;  // takes no lease
    bool no_outside_ = false;
    bool seen_ = false;
    bool came_in_ = false;
    std::string no_packet_;  // why none could prove a forward
    std::string leftover_;   // what may still be there; empty = nothing
    std::string names_;
};

}  // namespace

bool Trial::may_be_there() const {
    const bool refused = granted && !*granted && says_no(granted->error().problem);
    return asked && !refused && !(removed && *removed);
}

std::uint16_t choose_port(const Offer& offer, Transport transport, std::uint16_t target,
                          const portmap::Discovered& found,
                          const std::function<bool(std::uint16_t)>& is_free) {
    const portmap::IgdMappings* list = list_of(offer, found);
    const bool knows_all = list != nullptr && list->complete && !offer.pinhole;
    for (unsigned i = knows_all ? 0 : 1; i <= most_ports; ++i) {
        const unsigned number = target + i;
        if (number > 65535) break;
        const auto port = static_cast<std::uint16_t>(number);
        const bool listed =
            list != nullptr &&
            std::any_of(list->entries.begin(), list->entries.end(), [&](const auto& mapping) {
                const bool ours = mapping.internal_address == offer.service.local &&
                                  mapping.internal_port == port;
                return mapping.transport == transport && (mapping.external_port == port || ours);
            });
        if (!listed && is_free(port)) return port;
    }
    return 0;
}

Judgement judge_mapping_test(const MappingTest& test) { return MappingJudge(test).run(); }

}  // namespace p2pdiag::upnp_plugin
