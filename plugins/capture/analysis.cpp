#include "analysis.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "findings.hpp"
#include "roles.hpp"

namespace p2pdiag::capture_plugin {

namespace {

constexpr std::size_t max_conversations = 1000;  // that are named
// An answer that takes longer comes from no path that anybody would use.
constexpr std::int64_t patience_ns = 2'000'000'000;
// Whoever has asked for so long has had no answer, however late the last try was. STUN sends its
// fourth 3.5 s after the first (RFC 8489 section 6.2.1), TCP its third SYN after 3 s (RFC 6298
// section 5.5), resolvers ask again after 5 s: each of these has had its time for an answer.
constexpr std::int64_t persistence_ns = 5'500'000'000;

std::uint64_t packets_of(const Conversation& one) { return one.packets_out + one.packets_in; }

bool busier(const Conversation& one, const Conversation& other) {
    return packets_of(one) > packets_of(other);
}

// By what a recording of `run --capture` says beside the packet: such ones go where nobody listens,
// and that this is said shows that they arrived.
bool wants_refusal(std::string_view comment) {
    return comment.starts_with("network.path") ||
           comment.find("does UDP to any port get out?") != std::string_view::npos;
}

std::string amount(std::uint64_t bytes) {
    if (bytes < 10'000) return times(bytes, "byte");
    if (bytes < 10'000'000) return std::to_string(bytes / 1000) + " kB";
    return std::to_string(bytes / 1'000'000) + " MB";
}

}  // namespace

Analysis::Analysis(Filter filter)
    : filter_(filter),
      dissector_([this](const capture::Segment& segment, const capture::Arrival& arrival) {
          take_incomplete(segment, arrival);
      }),
      flows_([this](Flow& flow) { end(flow); }),
      transactions_([this](const Transaction& transaction) { end(transaction); }) {}

bool Analysis::wanted(const capture::Segment& segment) const {
    const auto at_either_end = [&](const Endpoint& from, const Endpoint& to) {
        const bool host =
            !filter_.host || from.address == *filter_.host || to.address == *filter_.host;
        const bool port = !filter_.port || from.port == *filter_.port || to.port == *filter_.port;
        return host && port;
    };
    if (at_either_end(segment.from, segment.to)) return true;
    return segment.icmp && at_either_end(segment.icmp->from, segment.icmp->to);
}

void Analysis::add(const capture::Packet& packet) {
    ++packets_;
    bytes_ += packet.data.size();
    // The clock of the capture goes on with every packet, whoever's it is.
    capture::Packet placed = packet;
    const std::int64_t now_ns = timeline_.place(packet.time_ns);
    placed.time_ns = now_ns;
    switch (dissector_.dissect(placed, segment_)) {
        case capture::Skipped::no: break;
        case capture::Skipped::unknown_link: ++unknown_link_; return;
        case capture::Skipped::not_ip: ++not_ip_; return;
        case capture::Skipped::malformed: ++malformed_; return;
    }
    // What it is part of is judged once it is whole, or given up.
    if (segment_.fragment) return;
    current_.number = packet.number;
    current_.now_ns = now_ns;
    current_.interface = packet.interface;
    if (packet.comments.empty()) {
        current_.comment.clear();
    } else {
        current_.comment = printable(packet.comments.front());
    }
    take_segment();
}

// As of the time when its newest fragment came: earlier than what was seen last.
void Analysis::take_incomplete(const capture::Segment& segment, const capture::Arrival& arrival) {
    segment_ = segment;
    current_.number = arrival.packet;
    current_.now_ns = arrival.time_ns;
    current_.interface = 0;
    current_.comment.clear();
    take_segment();
}

void Analysis::take_segment() {
    understood_ += segment_.packets;
    if (!wanted(segment_)) {
        filtered_ += segment_.packets;
        return;
    }
    current_.segment = &segment_;
    if (segment_.direction == capture::Direction::outbound) note_direction();
    if (segment_.carrier == capture::Carrier::icmp) return add_icmp();
    if (segment_.carrier == capture::Carrier::other) {
        other_protocol_ += segment_.packets;
        return;
    }

    const auto [flow, side] =
        flows_.get(segment_.carrier, segment_.from, segment_.to, current_.now_ns);
    current_.flow = &flow;
    current_.side = side;
    flow.packets[side] += segment_.packets;
    flow.bytes[side] += segment_.payload.size();
    flow.heard_ns[side] = std::max(flow.heard_ns[side], current_.now_ns);
    flow.to_group = segment_.to_group;
    flow.last_ns = std::max(flow.last_ns, current_.now_ns);
    segment_.carrier == capture::Carrier::udp ? add_udp() : add_tcp();
}

void Analysis::note_direction() { ++hosts_.at(segment_.from.address).outbound; }

void Analysis::add_udp() {
    const capture::Acquaintance known{current_.flow->stun, current_.flow->turn};
    if (!capture::may_have_content(segment_, known)) return note_data();
    const capture::Content content = capture::decode(segment_, known);
    std::visit([this](const auto& value) { take(value); }, content);
}

void Analysis::note_data() {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    flow.undecoded_bytes[side] += segment_.payload.size();
    if (++flow.undecoded[side] > 1 || segment_.to_group) return;
    flow.data_message[side] = add_message({Protocol::data, Kind::notice, "data"});
}

void Analysis::add_icmp() {
    if (!segment_.icmp) return;
    const capture::IcmpError& error = *segment_.icmp;
    // Who refuses what was sent to himself is not on the way.
    if (segment_.from.address != error.to.address) hosts_.at(segment_.from.address).hop = true;
    const IcmpKind kind{error.v6, error.type, error.code};
    Counted* counted = evidence_.icmp_error(
        {segment_.from.address, kind, error.carrier, error.from.address, error.to});
    const bool first = counted != nullptr && counted->count++ == 0;
    if (first) {
        counted->packet = current_.number;
        counted->first_ns = current_.now_ns;
        evidence_.heard[{error.carrier, error.from.address, error.to}] = 0;
    }
    if (counted != nullptr) {
        counted->last_ns = std::max(counted->last_ns, current_.now_ns);
        if (wants_refusal(current_.comment)) ++counted->wanted;
    }
    Described described{
        Protocol::icmp, Kind::notice,
        icmp_text(kind) + ", for " + std::string(to_string(error.carrier)) + " to " +
            (error.to.port == 0 ? error.to.address.to_string() : error.to.to_string())};
    std::size_t side = 0;
    Flow* flow = flows_.find(error.carrier, error.from, error.to, side);
    if (is_refusal(kind)) {
        described.kind = Kind::error;
        if (flow != nullptr) return refuse(*flow, side, std::move(described));
    }
    // Of a long row of the same, the first one says it all.
    if (first) notice(std::move(described));
}

void Analysis::refuse(Flow& flow, std::size_t side, Described described) {
    // As if the other side of the conversation had answered.
    current_.flow = &flow;
    current_.side = 1 - side;
    const bool first = !std::exchange(flow.refused, true);
    const Sequence request = quoted_request(*segment_.icmp).value_or(flow.request[side]);
    const bool told = request == Flow::no_message ? !first : settled_.contains(request);
    if (!told) settle(request, add_message(std::move(described)), Fate::refused);
}

Sequence Analysis::add_message(Described described) {
    Message message;
    message.packet = current_.number;
    message.time_ns = message.last_ns = current_.now_ns;
    message.from = segment_.from;
    message.to = segment_.to;
    message.protocol = described.protocol;
    message.kind = described.kind;
    message.text = std::move(described.text);
    message.transaction = std::move(described.transaction);
    message.subject = std::move(described.subject);
    message.credentials = described.credentials;
    message.refusal = std::move(described.refusal);
    message.comment = current_.comment;
    const bool shown = !filter_.stun_only || described.protocol == Protocol::stun ||
                       described.protocol == Protocol::turn ||
                       described.protocol == Protocol::probe ||
                       described.protocol == Protocol::chat || described.protocol == Protocol::icmp;
    return shown ? messages_.add(std::move(message)) : messages_.add_hidden(std::move(message));
}

bool Analysis::came_too_late(std::int64_t first_ns, std::int64_t last_ns) const {
    const std::int64_t end = timeline_.latest();
    return end - last_ns < patience_ns && end - first_ns < persistence_ns;
}

void Analysis::end(const Transaction& transaction) {
    if (transaction.legs.empty() && transaction.early_answer) {
        note_verdict(Flow::no_message, *transaction.early_answer);
    }
    for (const Leg& leg : transaction.legs) end_leg(transaction, leg);
}

void Analysis::end_leg(const Transaction& transaction, const Leg& leg) {
    Message* message = messages_.find(leg.request);
    Fate fate = came_too_late(leg.first_ns, leg.last_ns) ? Fate::open : Fate::unanswered;
    const auto settled = settled_.find(leg.request);
    if (leg.answers > 0) {
        fate = Fate::answered;
    } else if (settled != settled_.end()) {
        fate = settled->second;
    } else if (message != nullptr && message->fate != Fate::none) {
        fate = message->fate;
    }
    if (settled != settled_.end()) settled_.erase(settled);
    if (message != nullptr) message->fate = fate;
    const ExchangeKey key{transaction.protocol, leg.from.address, leg.to,
                          transaction.traits.attempt};
    if (!transaction.traits.asks_for_another_source) return count(key, fate, leg.sends, message);
    Exchange* exchange = evidence_.exchange(key);
    if (exchange == nullptr) return;
    ++exchange->other_source_asked;
    if (fate == Fate::answered) ++exchange->other_source_answered;
}

void Analysis::count(const ExchangeKey& key, Fate fate, std::uint64_t sends,
                     const Message* message) {
    Exchange* exchange = evidence_.exchange(key);
    if (exchange == nullptr) return;
    ++exchange->asked;
    exchange->sends += sends;
    if (fate == Fate::answered) ++exchange->answered;
    if (fate == Fate::refused) ++exchange->refused;
    if (fate == Fate::open) ++exchange->open;
    const bool first_silent = fate == Fate::unanswered && exchange->unanswered++ == 0;
    if (message != nullptr && (exchange->packet == 0 || first_silent)) {
        exchange->packet = message->packet;
    }
}

// A connection that `side` began, or tried to.
void Analysis::end_syn(const Flow& flow, std::size_t side) {
    if (flow.tcp.syn_message[side] == Flow::no_message) return;
    Message* syn = messages_.find(flow.tcp.syn_message[side]);
    const std::int64_t last_ns = flow.tcp.syn_ns[side];
    const std::int64_t first_ns = syn == nullptr ? last_ns : syn->time_ns;
    Fate fate = came_too_late(first_ns, last_ns) ? Fate::open : Fate::unanswered;
    if (flow.tcp.accepted[1 - side]) {
        fate = Fate::answered;
    } else if (flow.tcp.reset || flow.refused) {
        fate = Fate::refused;
    } else if (flow.tcp.packets[1 - side] > 0) {
        fate = Fate::answered;
    }
    // What was seen when the answer came is surer than what is known of the whole connection.
    if (syn != nullptr && syn->fate != Fate::none) fate = syn->fate;
    if (syn != nullptr) syn->fate = fate;
    count({Protocol::tcp, flow.side(side).address, flow.side(1 - side)}, fate,
          syn == nullptr ? 1 : syn->copies, syn);
}

// The beginnings of a connection, and the question that was asked last on it. The flow is as if it
// had carried none.
void Analysis::end_connection(Flow& flow) {
    for (const std::size_t side : {0, 1}) {
        end_syn(flow, side);
        streams_.close(flow.tcp.stream[side]);
        Message* asked = messages_.find(flow.request[side]);
        if (asked == nullptr || asked->fate != Fate::none) continue;
        // Where the other side did say something, it was only not understood here.
        const bool silent = flow.tcp.bytes[1 - side] == 0;
        // As long as packets go on the question itself may not be through.
        const bool late = came_too_late(flow.tcp.last_ns, flow.tcp.last_ns);
        asked->fate = silent && !late ? Fate::unanswered : Fate::open;
        const ExchangeKey key{asked->protocol, flow.side(side).address, flow.side(1 - side)};
        if (silent) count(key, asked->fate, 1, asked);
    }
    flow.tcp = {};
    flow.request = {Flow::no_message, Flow::no_message};
    flow.refused = false;
}

void Analysis::end(Flow& flow) {
    const HostPair pair{flow.low.address, flow.high.address};
    if (flow.packets[0] > 0 && flow.packets[1] > 0) evidence_.note(evidence_.two_way, pair);
    if (flow.carrier == capture::Carrier::tcp) {
        // Whoever acknowledges has received something, which this capture does not show.
        for (const std::size_t side : {0, 1}) {
            if (flow.acknowledges[side] && flow.packets[1 - side] == 0) {
                evidence_.note(evidence_.half_seen, pair);
            }
        }
    }
    for (Grant& grant : evidence_.grants) {
        const bool carrier =
            (flow.carrier == capture::Carrier::udp) == (grant.transport == Transport::udp);
        const std::size_t beginner = flow.began_low ? 0 : 1;
        if (carrier && flow.side(1 - beginner) == grant.internal &&
            flow.side(beginner).address != grant.router && flow.last_ns >= grant.time_ns) {
            ++grant.inbound;
        }
    }
    note_heard(flow);
    flow.carrier == capture::Carrier::udp ? end_datagrams(flow) : end_connection(flow);
    add_conversation(flow);
}

// A reset is no sign that an ICMP error was wrong.
void Analysis::note_heard(const Flow& flow) {
    if (evidence_.heard.empty()) return;
    for (const std::size_t side : {0, 1}) {
        const std::size_t other = 1 - side;
        const bool spoke = flow.carrier == capture::Carrier::udp
                               ? flow.packets[other] > 0
                               : flow.bytes[other] > 0 || flow.tcp.accepted[other];
        if (!spoke) continue;
        const auto found =
            evidence_.heard.find({flow.carrier, flow.side(side).address, flow.side(other)});
        if (found == evidence_.heard.end()) continue;
        found->second = std::max(found->second, flow.heard_ns[other]);
    }
}

void Analysis::end_datagrams(Flow& flow) {
    for (const std::size_t side : {0, 1}) {
        Message* message = messages_.find(flow.data_message[side]);
        if (flow.data_message[side] == Flow::no_message || message == nullptr) continue;
        message->copies = flow.undecoded[side];
        message->last_ns = flow.last_ns;
        message->text += ", " + amount(flow.undecoded_bytes[side]);
    }
    const std::size_t speaker = flow.packets[0] > 0 ? 0 : 1;
    const bool one_way = flow.packets[1 - speaker] == 0 && !flow.refused;
    const std::int64_t duration = flow.last_ns - flow.first_ns;
    // A few datagrams at once may be anything; one that goes on and on waits for somebody.
    constexpr std::uint64_t least_packets = 3;
    constexpr std::int64_t least_duration_ns = 500'000'000;
    if (!one_way || flow.to_group) return;
    if (flow.packets[speaker] < least_packets || duration < least_duration_ns) return;
    if (flow.undecoded[speaker] == 0) return;  // requests are judged one by one
    evidence_.note(evidence_.one_way, OneWay{flow.side(speaker), flow.side(1 - speaker),
                                             flow.packets[speaker], duration, flow.stun});
}

void Analysis::add_conversation(const Flow& flow) {
    const std::size_t from = flow.began_low ? 0 : 1;
    Conversation one{flow.carrier,         flow.side(from),        flow.side(1 - from),
                     flow.packets[from],   flow.packets[1 - from], flow.bytes[from],
                     flow.bytes[1 - from], flow.first_ns,          flow.last_ns};
    // A heap whose front is the quietest of those that are kept.
    if (conversations_.size() < max_conversations) {
        conversations_.push_back(one);
        std::push_heap(conversations_.begin(), conversations_.end(), busier);
    } else if (busier(one, conversations_.front())) {
        std::pop_heap(conversations_.begin(), conversations_.end(), busier);
        conversations_.back() = one;
        std::push_heap(conversations_.begin(), conversations_.end(), busier);
    }
}

Outcome Analysis::finish(bool lost, std::optional<std::int64_t> ended_ns) {
    if (ended_ns) timeline_.extend(*ended_ns);
    dissector_.give_up_all();
    transactions_.end_all();
    end_handshakes();
    flows_.for_each([this](Flow& flow) { end(flow); });
    Outcome result;
    result.packets = packets_;
    result.bytes = bytes_;
    result.understood = understood_ > filtered_;
    result.first_ns = timeline_.first();
    result.last_ns = timeline_.latest();
    // A clock is set once or twice; one that jumps all the time tells nothing.
    const std::uint64_t jumps = timeline_.set_back() + timeline_.set_ahead();
    result.span_known = jumps <= packets_ / 10 || (timeline_.set_ahead() == 0 && jumps <= 2);
    result.conversation_count = flows_.count();
    std::sort_heap(conversations_.begin(), conversations_.end(), busier);
    result.conversations = std::move(conversations_);
    for (const ToldMapping& told : evidence_.mappings) {
        const bool known =
            std::ranges::find(result.mappings, told.mapping) != result.mappings.end();
        if (!known) result.mappings.push_back(told.mapping);
    }
    for (const auto& [key, exchange] : evidence_.exchanges) result.open_requests += exchange.open;
    for (const auto& [session, handshake] : evidence_.handshakes) {
        if (handshake.fate == Fate::open) ++result.open_requests;
    }
    fill_messages(result);
    result.hosts = hosts_of(result.messages, hosts_, evidence_);
    result.findings = findings_of(evidence_, result, lost);
    fill_remarks(result);
    return result;
}

void Analysis::fill_messages(Outcome& result) {
    result.messages_left_out = messages_.left_out();
    result.messages = messages_.take();
    if (result.messages_left_out > 0)
        result.gap_before = Messages::max_first + result.messages_left_out;
    // Nothing is shown as unanswered where the capture shows no answers at all.
    const bool one_direction = shows_one_direction(evidence_);
    for (Message& message : result.messages) {
        const bool hidden =
            one_direction || evidence_.hides_answers(message.from.address, message.to.address);
        if (hidden && message.fate == Fate::unanswered) message.fate = Fate::open;
        for (std::optional<Sequence>* other : {&message.answers, &message.answered_by}) {
            if (*other && **other >= Messages::first_hidden) other->reset();
        }
    }
    // Stable, so that packets of one moment stay as the file has them; within each part, so that
    // the gap stays between the two.
    const auto by_time = [](const Message& one, const Message& other) {
        return one.time_ns < other.time_ns;
    };
    const auto begin = result.messages.begin();
    const auto gap = std::find_if(begin, result.messages.end(), [&](const Message& message) {
        return result.gap_before && message.sequence == *result.gap_before;
    });
    std::stable_sort(begin, gap, by_time);
    std::stable_sort(gap, result.messages.end(), by_time);
    if (gap != result.messages.end()) result.gap_before = gap->sequence;
}

void Analysis::fill_remarks(Outcome& result) const {
    const auto note = [&result](std::uint64_t number, std::string_view what, std::string_view why) {
        if (number == 0) return;
        result.remarks.push_back(times(number, what) + ' ' + std::string(why));
    };
    note(unknown_link_, "packet", "of a link type that is not known here");
    note(not_ip_, "packet", "without IP (ARP, LLDP and the like)");
    note(other_protocol_, "IP packet", "of other protocols than UDP, TCP and ICMP");
    note(malformed_, "packet", "with broken or cut headers");
    note(other_version_, "message", "of p2pdiag in a version that is not understood here");
    const capture::Fragments& fragments = dissector_.fragments();
    note(fragments.incomplete(), "fragmented datagram",
         "never complete in the capture: only the beginning could be used");
    note(fragments.orphans(), "fragment", "whose first part is not in the capture");
    note(fragments.refused(), "fragmented datagram",
         "left out: the fragments overlap or contradict each other");
    note(fragments.evicted(), "fragmented datagram", "given up early to save memory");
    note(timeline_.set_back(), "time", "the clock was set back; what follows was moved up to it");
    note(timeline_.set_ahead(), "time",
         "the clock went ahead by more than any capture lasts; what follows was moved back to it");
    if (!result.span_known) {
        result.remarks.push_back(
            "how long it took cannot be told, since its clock jumps; times and delays may be "
            "wrong");
    }
    if (packets_ == 0) {
        result.remarks.push_back(
            "there is no packet in it: none passed while it was captured, or none that its filter "
            "lets through");
    }
    note(flows_.evicted(), "conversation",
         "put away early to save memory: what came of them later counts as new");
    note(transactions_.evicted(), "request", "put away early to save memory");
    note(evidence_.dropped, "observation", "more than are kept: the findings name examples");
    note(result.messages_left_out, "message", "in the middle not kept");
}

}  // namespace p2pdiag::capture_plugin
