#include "forward_verify.hpp"
#include "target.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

class TargetJudge {
public:
    explicit TargetJudge(const TargetFacts& facts) : facts_(facts) {}

    Judgement run() {
        describe();
        const auto& result = facts_.proof.result;
        if (!facts_.behind_nat) {
            result_.finish(P2PDIAG_SKIP,
                           "Not tried: stun.nat has found no server that sees this machine");
        } else if (facts_.interrupted) {
            result_.finish(P2PDIAG_UNKNOWN, "Interrupted before it could be told");
        } else if (result && result->proof == Proof::arrived) {
            arrived(result->at_socket);
        } else if (result && result->proof == Proof::stopped_here) {
            stopped_here();
        } else if (result && result->proof == Proof::not_arrived) {
            not_arrived();
        } else {
            result_.finish(P2PDIAG_UNKNOWN,
                           "Whether a stranger's packet comes in to " + subject() +
                               " was not tried: " + why_no_packet(facts_.proof.why_not));
        }
        return std::move(result_);
    }

private:
    std::string subject() const { return "UDP port " + std::to_string(facts_.port); }

    std::string external() const {
        return Endpoint{*facts_.proof.public_address, facts_.port}.to_string();
    }

    void describe() {
        const OutsideProof& proof = facts_.proof;
        json::object& data = result_.data;
        data = {{"target_port", facts_.port},
                {"packet", json::text_or_null(proof.why_not)},
                {"external", nullptr},
                {"server", nullptr},
                {"port_in_use", proof.port_in_use},
                {"tapped", proof.tapped},
                {"asked", 0},
                {"controls_answered", 0}};
        if (proof.public_address) data["external"] = external();
        if (proof.server) data["server"] = proof.server->to_string();
        if (!proof.result) return;
        data["asked"] = proof.result->asked;
        data["controls_answered"] = proof.result->controls_answered;
    }

    // As portmap.forwarded has it.
    json::object evidence(bool at_socket) const {
        return {{"protocol", "udp"},
                {"port", facts_.port},
                {"family", "ipv4"},
                {"external", external()},
                {"verified", "packet"},
                {"seen_by_program", at_socket},
                {"server", facts_.proof.server->to_string()}};
    }

    // Unless there is no NAT, or one that lets everybody in, nothing but a forward does it.
    bool by_forward() const { return *facts_.behind_nat && !facts_.full_cone; }

    void add_reached(bool at_socket) {
        const std::string packet = "a packet came in that a STUN server sent to " + external() +
                                   " from an address that nothing was sent to";
        if (by_forward()) {
            result_.add("portmap.forwarded", Severity::info,
                        subject() + " of this machine is forwarded: " + packet,
                        evidence(at_socket));
        } else {
            result_.add("nat.port-reached", Severity::info,
                        subject() + " of this machine is reached from outside: " + packet,
                        evidence(at_socket));
        }
    }

    void arrived(bool at_socket) {
        add_reached(at_socket);
        std::string text = "A stranger's packet comes in to " + subject() + " from " + external();
        if (!at_socket) {
            text +=
                ", as far as the network interface: a program has the port, so whether this "
                "machine's own firewall lets it through was not seen";
        }
        result_.finish(P2PDIAG_PASS, std::move(text));
    }

    void stopped_here() {
        std::string text = "A stranger's packet to " + subject() +
                           " comes as far as this machine's network interface, and its own "
                           "firewall drops it";
        if (!by_forward()) return filtered("host", std::move(text));
        json::object why = evidence(false);
        why["cause"] = "host-firewall";
        result_.add("portmap.mapped-but-unreachable", Severity::error, text, std::move(why));
        result_.finish(P2PDIAG_FAIL, std::move(text));
    }

    // No NAT would have to be told (but for a full cone, where the packet came as far as here).
    // `by`: "host", "way", or "either" where packets cannot be seen at the interface.
    void filtered(const char* by, std::string text) {
        result_.add("nat.port-filtered", Severity::warning, text,
                    {{"protocol", "udp"},
                     {"port", facts_.port},
                     {"family", "ipv4"},
                     {"by", by},
                     {"external", external()},
                     {"asked", facts_.proof.result->asked},
                     {"controls_answered", facts_.proof.result->controls_answered},
                     {"server", facts_.proof.server->to_string()}});
        result_.finish(P2PDIAG_WARN, std::move(text));
    }

    // Behind a NAT it is how things are where nobody has forwarded the port.
    void not_arrived() {
        if (facts_.proven_earlier) {
            result_.finish(P2PDIAG_UNKNOWN,
                           "A packet from outside came in to " + subject() +
                               " when p2pdiag had it forwarded, and none did now: a router may "
                               "hold an earlier try against the sender for half a minute");
            return;
        }
        const std::string packet = "No stranger's packet to " + external();
        if (!*facts_.behind_nat && facts_.proof.tapped) {
            return filtered("way", packet +
                                       " comes as far as this machine, and there is no NAT: "
                                       "something on the way drops it");
        }
        if (!*facts_.behind_nat) {
            return filtered("either", packet +
                                          " came to a program, and there is no NAT: this machine's "
                                          "own firewall drops it, or something on the way");
        }
        std::string text = "No stranger's packet comes in to " + subject() +
                           " from outside: no forward of it is in force";
        if (!facts_.proof.tapped) {
            text = "No stranger's packet came to a program on " + subject() +
                   ": it is not forwarded, or this machine's own firewall drops it";
        }
        result_.finish(P2PDIAG_PASS, std::move(text));
    }

    const TargetFacts& facts_;
    Judgement result_;
};

}  // namespace

Judgement judge_target(const TargetFacts& facts) { return TargetJudge(facts).run(); }

}  // namespace p2pdiag::upnp_plugin
