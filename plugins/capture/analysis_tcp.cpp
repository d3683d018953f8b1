// TCP: how connections begin, and how they are refused.
#include "analysis.hpp"

namespace p2pdiag::capture_plugin {

void Analysis::add_tcp() {
    const capture::TcpHeader& tcp = segment_.tcp;
    if (tcp.syn && !tcp.ack) return tcp_syn();
    if (tcp.syn) return tcp_accept();
    if (tcp.rst) return tcp_reset();
    Flow& flow = *current_.flow;
    if (tcp.ack) flow.acknowledges[current_.side] = true;
    if (!segment_.payload.empty()) tcp_payload();
}

void Analysis::tcp_syn() {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    const bool again = flow.syn[side] && flow.initial[side] == segment_.tcp.sequence;
    if (again) {
        Message* message = messages_.find(flow.syn_message[side]);
        if (message != nullptr) repeat(*message, current_.now_ns);
        return;
    }
    ++hosts_.at(segment_.from.address).asked;
    const Sequence theirs = flow.syn_message[1 - side];
    const bool crossed = theirs != Flow::no_message && flow.request[1 - side] == theirs;
    if (!crossed) {
        // A new connection between the same ports: the one before is over.
        end_syn(flow, side);
        flow.accepted = {};
        flow.reset = false;
    }
    flow.syn[side] = true;
    flow.established = false;
    flow.initial[side] = segment_.tcp.sequence;
    flow.stream[side] = 0;
    flow.stream_over[side] = false;
    flow.syn_message[side] = flow.request[side] =
        add_message({Protocol::tcp, Kind::request, "connect (SYN)"});
    if (!crossed) return;
    evidence_.note(evidence_.simultaneous, Pair{segment_.from, segment_.to, current_.number});
}

void Analysis::tcp_accept() {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    if (flow.accepted[side]) return;  // the same again
    flow.accepted[side] = true;
    // RFC 9293 section 3.5: with a simultaneous open both sides have sent a SYN before.
    if (!flow.syn[side]) {
        flow.initial[side] = segment_.tcp.sequence;
        flow.syn[side] = true;
        hosts_.at(segment_.from.address).accepted = true;
    }
    flow.established = true;
    if (flow.began_low == (side == 0) && !flow.syn[1 - side]) flow.began_low = side != 0;
    pair_in_flow(add_message({Protocol::tcp, Kind::answer, "accepted (SYN, ACK)"}), Fate::answered);
}

void Analysis::tcp_reset() {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    if (flow.reset) return;
    flow.reset = true;
    const bool at_connect = !flow.established && flow.request[1 - side] != Flow::no_message &&
                            flow.request[1 - side] == flow.syn_message[1 - side];
    // After the first words of one side, and before a word of the other.
    const bool at_first_data =
        flow.established && flow.bytes[1 - side] > 0 && flow.bytes[side] == 0;
    const Sequence sequence =
        add_message({Protocol::tcp, at_connect || at_first_data ? Kind::error : Kind::notice,
                     at_connect ? "refused (RST)" : "reset (RST)"});
    if (!at_connect && !at_first_data) return;
    pair_in_flow(sequence, Fate::refused);
    evidence_.note(evidence_.resets,
                   Reset{segment_.from, segment_.to, at_connect, current_.number});
}

void Analysis::tcp_payload() {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    if (flow.stream_over[side]) return;
    if (flow.stream[side] == 0) {
        // RFC 9293 section 3.4: the SYN itself takes one sequence number. Where it was not seen
        // the connection may be in the middle of anything, which the parser finds out.
        flow.stream[side] =
            streams_.open(flow.syn[side] ? flow.initial[side] + 1 : segment_.tcp.sequence);
    }
    capture::StreamParser* parser = streams_.find(flow.stream[side]);
    bool alive =
        parser != nullptr && parser->add(segment_.tcp.sequence, segment_.payload, segment_.cut);
    while (alive) {
        const capture::StreamContent content = parser->next();
        alive = parser->alive();
        if (std::holds_alternative<std::monostate>(content)) break;
        take_stream(content);
    }
    if (alive) return streams_.settle(flow.stream[side]);
    streams_.close(flow.stream[side]);
    flow.stream_over[side] = true;
}

}  // namespace p2pdiag::capture_plugin
