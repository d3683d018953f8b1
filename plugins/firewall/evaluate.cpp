#include "evaluate.hpp"

#include <algorithm>

#include "journey.hpp"
#include "panic.hpp"
#include "verdict.hpp"

namespace p2pdiag::firewall {

namespace {

// The answer to a packet that left, as it comes back to the same socket.
Packet answer_to(const Packet& packet, const Ending& sent) {
    Packet answer = packet;
    answer.direction = Direction::in;
    answer.source = packet.destination;
    answer.source_port = packet.destination_port;
    answer.destination = *packet.source;
    answer.destination_port = *packet.source_port;
    answer.mark = 0;
    // A connection that was not tracked on its way out is a new one on its way back.
    const bool tracked = sent.state.tracking == Tracking::tracked;
    answer.state = tracked ? CtState::established : CtState::fresh;
    const Known& mark = sent.state.connection_mark;
    answer.connection_mark.reset();
    if (tracked && mark.is_exact()) answer.connection_mark = static_cast<std::uint32_t>(mark.value);
    return answer;
}

// To a flow that is not tracked, what comes back is a packet like any other: a redirection may take
// it elsewhere.
bool may_go_astray(const Packet& answer, const Verdict& verdict) {
    if (answer.state == CtState::established || verdict.kind != VerdictKind::accept) return false;
    const auto& delivery = verdict.delivery;
    return !delivery || !delivery->local || !delivery->is_exact() ||
           delivery->port != answer.destination_port;
}

Verdict judged(const World& world, const Findings& findings) {
    Verdict verdict = judge(findings);
    if (verdict.deciding_rule && is_of_panic(*verdict.deciding_rule))
        verdict.why += ' ' + about_panic(world);
    return verdict;
}

}  // namespace

Verdict evaluate(const World& world, const Packet& packet, const Limits& limits) {
    return judged(world, Journey(world, packet, limits).run());
}

Verdict assess_inbound(const World& world, const Packet& packet, const Limits& limits) {
    Packet fresh = packet;
    fresh.direction = Direction::in;
    fresh.state = CtState::fresh;
    Verdict verdict = evaluate(world, fresh, limits);
    if (verdict.passes != false) return verdict;
    Packet answer = fresh;
    answer.state = CtState::established;
    return join_answer(std::move(verdict), evaluate(world, answer, limits));
}

Verdict assess_punching(const World& world, const Packet& packet, const Limits& limits) {
    Packet sent = packet;
    sent.direction = Direction::out;
    sent.state = CtState::fresh;
    const Findings findings = Journey(world, sent, limits).run();
    Verdict verdict = judged(world, findings);
    if (verdict.kind != VerdictKind::accept) {
        const bool surely = verdict.passes == false;
        verdict.why = (surely ? "Our own packet does not leave. "
                              : "Our own packet does not surely leave. ") +
                      verdict.why;
        return verdict;
    }
    if (!sent.source || !sent.source_port) return unanswerable(std::move(verdict));
    // More than one way out that ends well: the answers must all get in.
    std::optional<Verdict> worst;
    for (const Ending& ending : findings.endings) {
        const Packet back = answer_to(sent, ending);
        Verdict answer = evaluate(world, back, limits);
        if (may_go_astray(back, answer)) {
            answer.kind = VerdictKind::undecided;
            answer.passes.reset();
            answer.open = {"whether it comes to the port that asked"};
            answer.why = "It cannot be told " + answer.open.front() + '.';
        }
        if (!worst || answer.kind != VerdictKind::accept) worst = std::move(answer);
    }
    return join_punching(std::move(verdict), std::move(*worst));
}

}  // namespace p2pdiag::firewall
