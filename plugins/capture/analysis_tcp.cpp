// TCP: how connections begin, and how they are refused.
#include "analysis.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// Two SYNs that cross are about as far apart as the network is wide, and a lost one is sent again
// after 1 s and 3 s (RFC 6298 section 2).
constexpr std::int64_t crossing_ns = 5'000'000'000;
// "Right after the first data": what fits the first window (RFC 6928), and while its sender waits.
constexpr std::uint64_t first_data_bytes = 16 * 1024;
constexpr std::int64_t first_data_ns = 2'000'000'000;

}  // namespace

void Analysis::add_tcp() {
    const capture::TcpHeader& tcp = segment_.tcp;
    if (tcp.syn && !tcp.ack) {
        tcp_syn();
    } else if (tcp.syn) {
        tcp_accept();
    } else if (tcp.rst) {
        tcp_reset();
    } else {
        if (tcp.ack) current_.flow->acknowledges[current_.side] = true;
        if (!segment_.payload.empty()) tcp_payload();
    }
    Connection& connection = current_.flow->tcp;
    ++connection.packets[current_.side];
    connection.last_ns = current_.now_ns;
}

void Analysis::tcp_syn() {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    const bool again = flow.tcp.syn[side] && flow.tcp.initial[side] == segment_.tcp.sequence;
    if (again) {
        flow.tcp.syn_ns[side] = current_.now_ns;
        Message* message = messages_.find(flow.tcp.syn_message[side]);
        if (message != nullptr) repeat(*message, current_.now_ns);
        return;
    }
    ++hosts_.at(segment_.from.address).asked;
    const Sequence theirs = flow.tcp.syn_message[1 - side];
    const bool crossed = theirs != Flow::no_message && flow.request[1 - side] == theirs &&
                         !flow.tcp.syn[side] &&
                         current_.now_ns - flow.tcp.syn_ns[1 - side] < crossing_ns;
    // A new connection between the same ports: the one before is over.
    if (!crossed) end_connection(flow);
    flow.tcp.syn[side] = true;
    flow.tcp.syn_ns[side] = current_.now_ns;
    flow.tcp.initial[side] = segment_.tcp.sequence;
    flow.tcp.syn_message[side] = flow.request[side] =
        add_message({Protocol::tcp, Kind::request, "connect (SYN)"});
    if (!crossed) return;
    evidence_.note(evidence_.simultaneous, Pair{segment_.from, segment_.to, current_.number});
}

void Analysis::tcp_accept() {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    if (flow.tcp.accepted[side]) return;  // the same again
    flow.tcp.accepted[side] = true;
    // RFC 9293 section 3.5: with a simultaneous open both sides have sent a SYN before.
    if (!flow.tcp.syn[side]) {
        flow.tcp.initial[side] = segment_.tcp.sequence;
        flow.tcp.syn[side] = true;
        hosts_.at(segment_.from.address).accepted = true;
    }
    flow.tcp.established = true;
    if (flow.began_low == (side == 0) && !flow.tcp.syn[1 - side]) flow.began_low = side != 0;
    pair_in_flow(add_message({Protocol::tcp, Kind::answer, "accepted (SYN, ACK)"}), Fate::answered);
}

void Analysis::tcp_reset() {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    if (flow.tcp.reset) return;
    flow.tcp.reset = true;
    const bool at_connect = !flow.tcp.established && flow.request[1 - side] != Flow::no_message &&
                            flow.request[1 - side] == flow.tcp.syn_message[1 - side];
    // By who was connected to, after the first words of the other and without one of its own.
    const bool at_first_data = flow.tcp.accepted[side] && flow.tcp.bytes[side] == 0 &&
                               flow.tcp.bytes[1 - side] > 0 &&
                               flow.tcp.bytes[1 - side] <= first_data_bytes &&
                               current_.now_ns - flow.tcp.data_ns <= first_data_ns;
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
    if (flow.tcp.bytes[0] + flow.tcp.bytes[1] == 0) flow.tcp.data_ns = current_.now_ns;
    flow.tcp.bytes[side] += segment_.payload.size();
    if (flow.tcp.stream_over[side]) return;
    if (flow.tcp.stream[side] == 0) {
        // RFC 9293 section 3.4: the SYN itself takes one sequence number. Where it was not seen
        // the connection may be in the middle of anything, which the parser finds out.
        flow.tcp.stream[side] =
            streams_.open(flow.tcp.syn[side] ? flow.tcp.initial[side] + 1 : segment_.tcp.sequence);
    }
    capture::StreamParser* parser = streams_.find(flow.tcp.stream[side]);
    bool alive = parser != nullptr && parser->add(segment_.tcp.sequence, segment_.payload);
    while (alive) {
        const capture::StreamContent content = parser->next();
        alive = parser->alive();
        if (std::holds_alternative<std::monostate>(content)) break;
        take_stream(content);
    }
    if (alive) return streams_.settle(flow.tcp.stream[side]);
    streams_.close(flow.tcp.stream[side]);
    flow.tcp.stream_over[side] = true;
}

}  // namespace p2pdiag::capture_plugin
