#include "exchange.hpp"

#include "discovery.hpp"
#include "verdict.hpp"
#include "way_back.hpp"

namespace p2pdiag::firewall {

namespace {

// More ways through a machine than that are not followed any further.
constexpr std::size_t most_arrivals = 8;

// To a flow that is not tracked the answer is a packet like any other, and a TCP answer to what
// connection tracking has not seen is invalid to it (tcp_conntracks of nf_conntrack_proto_tcp.c).
CtState state_of_answer(const Packet& first, const Arrival& arrival) {
    if (arrival.tracked) return CtState::established;
    return first.protocol == protocol_tcp ? CtState::invalid : CtState::fresh;
}

Packet answer_from_here(const Packet& first, const Arrival& arrival) {
    const Endpoint sender = stranger(first.family());
    Packet answer = first;
    answer.direction = Direction::out;
    answer.part = Part::answer;
    answer.source.reset();
    answer.source_port.reset();
    if (const auto& delivery = arrival.delivery) {
        if (delivery->is_exact()) answer.source = delivery->destination;
        answer.source_port = delivery->port;
    }
    answer.destination = first.source.value_or(sender.address);
    answer.destination_port = first.source_port.value_or(sender.port);
    answer.state = state_of_answer(first, arrival);
    answer.connection_mark = arrival.connection_mark;
    answer.mark = 0;
    return answer;
}

// From the one who began it, after the answer.
Packet next_from_there(const Packet& first, const Arrival& arrival) {
    Packet next = first;
    next.part = Part::later;
    next.state = arrival.tracked ? CtState::established : CtState::fresh;
    next.connection_mark = arrival.connection_mark;
    const auto& delivery = arrival.delivery;
    if (arrival.tracked && delivery) next.translated_to = {delivery->destination, delivery->port};
    return next;
}

void ask_for_answer(const World& world, const Arrival& arrival, Asked& asked) {
    const Verdict verdict = evaluate(world, answer_from_here(asked.packet, arrival));
    take_over(
        verdict,
        {"It comes in, but no answer to it leaves. ", "It comes in, but of the answer to it: "},
        asked);
}

// A TCP connection that is begun and does not go on is none. By UDP the first packets do come in,
// until something has answered.
void ask_for_more(const World& world, const Arrival& arrival, Asked& asked) {
    Verdict verdict = evaluate(world, next_from_there(asked.packet, arrival));
    const bool tcp = asked.packet.protocol == protocol_tcp;
    if (!tcp && verdict.passes == false)
        verdict = left_open(std::move(verdict), "how far a flow gets of which no more comes in");
    take_over(verdict,
              {"A connection can be begun, but what follows does not come in. ",
               tcp ? "A connection can be begun, but of what follows: "
                   : "A first packet comes in, but of the later ones of its flow: "},
              asked);
}

// What a hole is punched with.
Packet own_packet_before(const Packet& answer) {
    const Endpoint peer = stranger(answer.family());
    Packet own = answer;
    own.direction = Direction::out;
    own.state = CtState::fresh;
    own.source.reset();
    if (!answer.goes_to_some_own_address()) own.source = answer.destination;
    own.source_port = answer.destination_port;
    own.destination = answer.source.value_or(peer.address);
    own.destination_port = answer.source_port.value_or(peer.port);
    return own;
}

// Answers come in to nothing where no packet of ours leaves, or what comes back is not taken for
// its answer.
void ask_for_own_packet(const World& world, Asked& asked) {
    if (asked.verdict.kind != VerdictKind::reply_only) return;
    const Packet own = own_packet_before(asked.packet);
    const Verdict punched = own.source ? assess_punching(world, own) : evaluate(world, own);
    if (punched.kind == VerdictKind::accept) return;
    Packet fresh = asked.packet;
    fresh.state = CtState::fresh;
    Verdict blocked = evaluate(world, fresh);
    if (punched.passes == false) blocked.why += " Nor would an answer come in: " + punched.why;
    blocked.open = std::move(asked.verdict.open);
    asked.verdict = join_answer(std::move(blocked), punched);
}

}  // namespace

void ask_for_exchange(const World& world, Asked& asked) {
    if (asked.verdict.kind == VerdictKind::reply_only) return ask_for_own_packet(world, asked);
    if (!lets_in(asked.verdict)) return;
    const std::vector<Arrival> arrivals = asked.verdict.arrivals;
    for (std::size_t i = 0; i < arrivals.size() && i < most_arrivals; ++i) {
        const Arrival& arrival = arrivals[i];
        // Where it goes on to another machine the answer comes from there.
        const bool forwarded = arrival.delivery && !arrival.delivery->local;
        if (!forwarded) ask_for_answer(world, arrival, asked);
        if (!forwarded) {
            const Packet answer = answer_from_here(asked.packet, arrival);
            ask_for_way_back(world, answer, arrival.marked, asked);
        }
        if (arrival.delivery) ask_for_more(world, arrival, asked);
    }
    ask_for_neighbours(world, asked);
}

}  // namespace p2pdiag::firewall
