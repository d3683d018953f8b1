#include "forward_verify.hpp"

#include "outside.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::InForce;

namespace {

std::string_view to_string(InForce in_force) {
    switch (in_force) {
        case InForce::yes: return "yes";
        case InForce::no: return "no";
        case InForce::foreign: return "foreign";
        case InForce::unknown: break;
    }
    return "unknown";
}

class ForwardJudge {
public:
    explicit ForwardJudge(const VerifyFacts& facts) : facts_(facts) {}

    Judgement run() {
        describe();
        const ProofResult* proof =
            facts_.proof && facts_.proof->result ? &*facts_.proof->result : nullptr;
        if (facts_.interrupted) {
            finish(P2PDIAG_UNKNOWN, "", false, "Interrupted before it could be told");
        } else if (proof != nullptr && proof->proof == Proof::arrived) {
            arrived(*proof);
        } else if (proof != nullptr && proof->proof == Proof::stopped_here) {
            stopped_here();
        } else if (proof != nullptr && proof->proof == Proof::not_arrived) {
            not_arrived();
        } else {
            by_read_back();
        }
        return std::move(result_);
    }

private:
    bool pinhole() const { return !facts_.made.service.local.is_v4(); }

    std::string subject() const {
        return port_words(facts_.made.request.transport, facts_.grant.external_port);
    }

    std::optional<Endpoint> external() const {
        if (pinhole()) return Endpoint{facts_.made.service.local, facts_.grant.external_port};
        std::optional<IpAddress> address = facts_.grant.external_address;
        if (has_no_outside()) address.reset();
        if (facts_.proof && facts_.proof->public_address) address = facts_.proof->public_address;
        if (!address) return std::nullopt;
        return Endpoint{*address, facts_.grant.external_port};
    }

    void describe() {
        json::object& data = result_.data;
        data["external"] = nullptr;
        if (const auto endpoint = external()) data["external"] = endpoint->to_string();
        data["read_back"] = to_string(facts_.read_back.in_force);
        data["server"] = nullptr;
        data["packet"] = nullptr;
        if (!facts_.proof) return;
        const OutsideProof& proof = *facts_.proof;
        if (proof.server) data["server"] = proof.server->to_string();
        data["packet"] =
            proof.result ? json::value(to_string(proof.result->proof)) : json::value(proof.why_not);
        data["port_in_use"] = proof.port_in_use;
        data["tapped"] = proof.tapped;
        if (!proof.result) return;
        data["asked"] = proof.result->asked;
        data["controls_answered"] = proof.result->controls_answered;
    }

    void finish(p2pdiag_status status, std::string_view method, bool again, std::string summary) {
        result_.data["method"] = method.empty() ? json::value(nullptr) : json::value(method);
        result_.data["again"] = again;
        result_.finish(status, std::move(summary));
    }

    json::object with_cause(std::string_view cause) const {
        json::object evidence = result_.data;
        evidence["cause"] = cause;
        return evidence;
    }

    void unreachable(std::string_view cause, std::string message) {
        result_.add("portmap.mapped-but-unreachable", Severity::error, std::move(message),
                    with_cause(cause));
    }

    void arrived(const ProofResult& proof) {
        std::string text = subject() + " works: a packet from " +
                           facts_.proof->server->address.to_string() + "'s other address came in";
        if (!proof.at_socket) {
            text +=
                " at the network interface. A program listens on the port, so whether this "
                "machine's own firewall lets it through was not seen";
        }
        finish(proof.at_socket ? P2PDIAG_PASS : P2PDIAG_WARN, "packet", false, std::move(text));
    }

    void stopped_here() {
        std::string text = "The router forwards " + subject() +
                           ", but this machine's own firewall drops it: the packet was seen at the "
                           "network interface and not by a program";
        unreachable("host-firewall", text);
        finish(P2PDIAG_FAIL, "packet", false, std::move(text));
    }

    // The router names an address at which nothing can arrive: 0.0.0.0 above all.
    bool has_no_outside() const {
        return !pinhole() && judge_outside(facts_.grant.external_address, {}) == Outside::unusable;
    }

    // What it says is not believed against a packet.
    void add_no_outside() {
        if (!has_no_outside()) return;
        const std::string named = facts_.grant.external_address->to_string();
        result_.add(
            "portmap.external-private", Severity::warning,
            "The router granted " + subject() + " and names " + named +
                " as its outside address: it has none that could be used",
            {{"router", facts_.made.service.router.to_string()}, {"external_address", named}});
    }

    // Of a NAT that no forward of this router gets through.
    std::optional<std::string> other_nat() const {
        const auto& external = facts_.grant.external_address;
        if (pinhole() || !external || !facts_.proof || !facts_.proof->public_address) {
            return std::nullopt;
        }
        if (has_no_outside()) return std::nullopt;
        if (*external == *facts_.proof->public_address) return std::nullopt;
        return "the router's outside address is " + external->to_string() + ", while servers see " +
               facts_.proof->public_address->to_string() + ": another NAT stands in between";
    }

    // By what the router says: it lists the forward, or has granted it and lists nothing.
    bool in_force_by_router() const {
        const InForce said = facts_.read_back.in_force;
        return said == InForce::yes || (said == InForce::unknown && !facts_.grant.unlisted);
    }

    // The router did all that can be seen of it. That its forward is of no use is not known, and
    // it is what is needed once the firewall is open.
    void lost_unseen() {
        const bool listed = facts_.read_back.in_force == InForce::yes;
        std::string text =
            "The router says that it forwards " + subject() + (listed ? " and lists it" : "") +
            ", and a packet from outside did not come to a program here: this machine's own "
            "firewall, which is not seen without root, may have dropped it, or the router does "
            "not forward it";
        result_.add("portmap.mapped-but-unreachable", Severity::warning, text,
                    with_cause("router-or-host-firewall"));
        finish(P2PDIAG_UNKNOWN, "", false, std::move(text));
    }

    void not_arrived() {
        add_no_outside();
        const auto nat = other_nat();
        if (!nat && !facts_.proof->tapped && in_force_by_router()) return lost_unseen();
        const bool listed = facts_.read_back.in_force == InForce::yes;
        std::string text = "The router says that it forwards " + subject() +
                           (listed ? " and lists it" : "") +
                           ", but a packet from outside does not come in";
        std::string cause = "router";
        if (nat) {
            text += ": " + *nat;
            cause = "double-nat";
        } else if (has_no_outside()) {
            text += ": it names no outside address that could be used";
        } else if (!facts_.proof->tapped) {
            text += ": the router does not forward it, or this machine's own firewall drops it";
            cause = "router-or-host-firewall";
        }
        if (nat && is_not_reachable(judge_outside(facts_.grant.external_address, {}))) {
            result_.add("nat.double-nat", Severity::warning, "Two NATs: " + *nat,
                        {{"external_address", facts_.grant.external_address->to_string()},
                         {"stun_address", facts_.proof->public_address->to_string()}});
        }
        unreachable(std::move(cause), text);
        finish(P2PDIAG_FAIL, "packet", !nat && !has_no_outside(), std::move(text));
    }

    void by_read_back() {
        add_no_outside();
        const bool udp = facts_.made.request.transport == Transport::udp;
        const std::string no_packet =
            !udp ? "from outside, TCP cannot be tried yet"
                 : "nobody verified it from outside: " +
                       why_no_packet(facts_.proof ? facts_.proof->why_not : std::string());
        const bool unlisted =
            facts_.grant.unlisted && facts_.read_back.in_force == InForce::unknown;
        switch (unlisted ? InForce::no : facts_.read_back.in_force) {
            case InForce::yes:
                finish(P2PDIAG_WARN, "read-back", false,
                       "by the router's own list alone, which has " + subject() +
                           " for this machine; " + no_packet);
                break;
            case InForce::no: {
                const bool off = facts_.read_back.switched_off;
                std::string text =
                    "The router accepted " + subject() +
                    (off ? " and lists it as switched off" : " and does not list it") +
                    ": it is not in force";
                unreachable(off ? "switched-off" : "not-in-force", text);
                finish(P2PDIAG_FAIL, "read-back", true, std::move(text));
                break;
            }
            case InForce::foreign: {
                std::string text = "The router lists " + subject() +
                                   " for somebody else: " + facts_.read_back.owner;
                result_.add("portmap.conflict", Severity::error, text,
                            {{"owner", facts_.read_back.owner}});
                finish(P2PDIAG_FAIL, "read-back", false, std::move(text));
                break;
            }
            case InForce::unknown:
                finish(P2PDIAG_UNKNOWN, "", false,
                       "The router granted " + subject() +
                           (has_no_outside() ? ", though it has no outside address" : "") +
                           ", and cannot be asked whether it is in "
                           "force; " +
                           no_packet);
                break;
        }
    }

    const VerifyFacts& facts_;
    Judgement result_;
};

}  // namespace

std::string why_no_packet(const std::string& reason) {
    if (reason == "no-server") return "no STUN server is configured or found";
    if (reason == "no-answer") return "no STUN server answers";
    if (reason == "port-in-use") {
        return "a program listens on the port, and seeing packets at the interface needs "
               "CAP_NET_RAW";
    }
    if (reason == "server-unsupported") {
        return "no configured STUN server can answer from another address to another port "
               "(RFC 5780)";
    }
    if (reason == "undecided") return "too many packets are lost";
    return "it could not be tried";
}

Judgement judge_forward(const VerifyFacts& facts) { return ForwardJudge(facts).run(); }

}  // namespace p2pdiag::upnp_plugin
