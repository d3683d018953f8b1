// Requests and answers: who belongs to whom, and what is only the same again.
#include <algorithm>

#include "analysis.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// Later, the same id is a new request: 16 bits of DNS come again.
constexpr std::int64_t forgotten_ns = 60'000'000'000;
// A NAT passes a packet on at once.
constexpr std::int64_t translated_ns = 500'000'000;

// After such a pause without a packet the mapping may have been forgotten in between.
constexpr std::int64_t same_mapping_ns = 30'000'000'000;

std::int64_t never_negative(std::int64_t delay) { return std::max<std::int64_t>(delay, 0); }

std::string between(const Endpoint& client, const Endpoint& server) {
    return client.to_string() + '>' + server.to_string();
}

// An error may come without the question that it answers.
bool same_question(const std::string& one, const std::string& other) {
    return one.empty() || other.empty() || one == other;
}

// An id that comes again after its answer is a new request, except where ids are never used twice.
bool may_come_again(Protocol protocol) {
    return protocol != Protocol::stun && protocol != Protocol::turn &&
           protocol != Protocol::probe && protocol != Protocol::chat;
}

bool is_answered(const Transaction& transaction) {
    return std::ranges::any_of(transaction.legs, [](const Leg& leg) { return leg.answers > 0; });
}

}  // namespace

bool Analysis::repeated_request(Transaction& transaction, Leg& leg) {
    const std::int64_t since = current_.now_ns - leg.last_ns;
    if (since > forgotten_ns) return false;
    if (is_answered(transaction) && may_come_again(transaction.protocol) && since > translated_ns)
        return false;
    if (Message* message = messages_.find(leg.request)) repeat(*message, current_.now_ns);
    if (since < same_packet_ns && since > -same_packet_ns) return true;
    ++leg.sends;
    leg.last_ns = std::max(leg.last_ns, current_.now_ns);
    return true;
}

Sequence Analysis::request(const std::string& key, Described described, RequestTraits traits) {
    const capture::Segment& segment = *current_.segment;
    ++hosts_.at(segment.from.address).asked;
    Transaction* known = transactions_.find(key);
    if (known != nullptr && !known->legs.empty()) {
        Leg* same = nullptr;
        const bool asks_the_same = same_question(known->traits.question, traits.question);
        for (Leg& leg : known->legs) {
            if (leg.from == segment.from && leg.to == segment.to) same = &leg;
        }
        if (same != nullptr && asks_the_same && repeated_request(*known, *same)) {
            return same->request;
        }
        const Leg& first = known->legs.front();
        const bool translated = same == nullptr && first.to == segment.to &&
                                current_.now_ns - first.last_ns < translated_ns &&
                                known->legs.size() < Transactions::max_legs;
        if (translated) {
            evidence_.note(evidence_.translations,
                           Translation{first.from, segment.from, segment.to, current_.number});
        } else if (same == nullptr) {
            // The same id, but neither again nor translated: a request of its own. Its key has
            // both ends, so that this happens once.
            return request(key + between(segment.from, segment.to), std::move(described),
                           std::move(traits));
        } else {
            known = nullptr;
        }
    } else if (known != nullptr && current_.now_ns - known->early_ns > translated_ns) {
        known = nullptr;
    }

    Transaction& transaction = known == nullptr ? transactions_.make(key) : *known;
    transaction.protocol = described.protocol;
    // What a NAT passed on is the request of whoever sent it first.
    if (transaction.legs.empty()) transaction.traits = std::move(traits);
    Leg leg;
    leg.from = segment.from;
    leg.to = segment.to;
    leg.request = add_message(std::move(described));
    leg.interface = current_.interface;
    leg.first_ns = leg.last_ns = current_.now_ns;
    current_.flow->request[current_.side] = leg.request;
    transaction.legs.push_back(leg);
    if (transaction.early_answer) {
        pair(transaction.legs.back(), *transaction.early_answer);
        if (const Message* said = messages_.find(*transaction.early_answer)) {
            note_mapping(transaction.traits, transaction.legs.back(), said->from, said->to,
                         transaction.early_mapped);
        }
        note_verdict(transaction.legs.back().request, *transaction.early_answer);
        transaction.early_answer.reset();
    }
    return leg.request;
}

Leg* Analysis::leg_of_answer(Transaction& transaction) {
    for (Leg& leg : transaction.legs) {
        if (leg.from == current_.segment->to) return &leg;
    }
    return transaction.legs.empty() ? nullptr : &transaction.legs.front();
}

void Analysis::answer(const std::string& key, Described described, const AnswerTraits& traits) {
    const capture::Segment& segment = *current_.segment;
    // The request of the same id to this very server, where several were asked with one id.
    Transaction* transaction = transactions_.find(key + between(segment.to, segment.from));
    if (transaction == nullptr) transaction = transactions_.find(key);
    if (transaction == nullptr) {
        Transaction& early = transactions_.make(key);
        early.protocol = described.protocol;
        early.early_answer = add_message(std::move(described));
        early.early_mapped = traits.mapped;
        early.early_ns = current_.now_ns;
        return;
    }
    Leg* leg = leg_of_answer(*transaction);
    const bool fits = same_question(transaction->traits.question, traits.question);
    if (leg == nullptr || !fits) return notice(std::move(described));
    const bool elsewhere = leg->to != segment.from && !transaction->traits.many_answers;
    const bool as_asked = transaction->traits.asks_for_another_source;
    if (elsewhere) {
        described.text += as_asked ? " (as asked)" : ", but " + leg->to.to_string() + " was asked";
    }
    note_mapping(transaction->traits, *leg, segment.from, segment.to, traits.mapped);
    Message* newest = leg->answer ? messages_.find(*leg->answer) : nullptr;
    const bool same = newest != nullptr && newest->from == segment.from &&
                      newest->to == segment.to && newest->text == described.text;
    if (same) {
        repeat(*newest, current_.now_ns);
        ++leg->answers;
        return;
    }
    const Sequence said = add_message(std::move(described));
    pair(*leg, said);
    // What a NAT passed on is told of whoever asked first.
    if (leg == &transaction->legs.front()) note_verdict(leg->request, said);
    if (!elsewhere || as_asked) return;
    evidence_.note(evidence_.elsewhere,
                   Elsewhere{transaction->protocol, leg->to, segment.from, current_.number});
}

// An answer that was asked for tells how the socket that asked looks to where it asked; one that
// nobody asked for, or that went to or came from elsewhere unasked, may be anybody's.
void Analysis::note_mapping(const RequestTraits& traits, const Leg& leg, const Endpoint& from,
                            const Endpoint& to, const std::optional<Endpoint>& mapped) {
    if (!mapped || to != leg.from || traits.asks_for_another_target) return;
    if (from != leg.to && !traits.asks_for_another_source) return;
    const Transport transport =
        current_.segment->carrier == capture::Carrier::tcp ? Transport::tcp : Transport::udp;
    const Mapping mapping{transport, leg.from, leg.to, *mapped};
    const std::int64_t now_ns = current_.now_ns;
    for (ToldMapping& told : evidence_.mappings) {
        const bool again = told.mapping == mapping && told.interface == leg.interface &&
                           now_ns - told.last_ns <= same_mapping_ns;
        if (!again) continue;
        told.last_ns = std::max(told.last_ns, now_ns);
        return;
    }
    evidence_.note(evidence_.mappings, ToldMapping{mapping, leg.interface, now_ns, now_ns});
}

void Analysis::pair(Leg& leg, Sequence answer) {
    ++leg.answers;
    leg.answer = answer;
    Message* said = messages_.find(answer);
    Message* asked = messages_.find(leg.request);
    leg.answered_ns = said == nullptr ? current_.now_ns : said->time_ns;
    if (said != nullptr) {
        said->answers = leg.request;
        // From the last send before it, as nearly as that can be told.
        said->delay_ns = never_negative(leg.answered_ns - leg.first_ns);
    }
    if (asked != nullptr && !asked->answered_by) {
        asked->answered_by = answer;
        asked->fate = Fate::answered;
    }
    if (Flow* flow = current_.flow) {
        for (Sequence& request : flow->request) {
            if (request == leg.request) request = Flow::no_message;
        }
    }
}

Leg* Analysis::find_leg(const std::string& key, const Endpoint& from, const Endpoint& to) {
    for (const std::string& one : {key + between(from, to), key}) {
        Transaction* transaction = transactions_.find(one);
        if (transaction == nullptr) continue;
        for (Leg& leg : transaction->legs) {
            if (leg.from == from && leg.to == to) return &leg;
        }
    }
    return nullptr;
}

void Analysis::pair_in_flow(Sequence answer, Fate fate) {
    settle(current_.flow->request[1 - current_.side], answer, fate);
}

void Analysis::settle(Sequence request, Sequence answer, Fate fate) {
    if (request == Flow::no_message) return;
    for (Sequence& pending : current_.flow->request) {
        if (pending == request) pending = Flow::no_message;
    }
    if (current_.flow->carrier == capture::Carrier::udp) {
        if (settled_.size() == Transactions::capacity) settled_.erase(settled_.begin());
        settled_.emplace(request, fate);
    }
    Message* asked = messages_.find(request);
    Message* said = messages_.find(answer);
    if (asked == nullptr) return;
    if (asked->fate != Fate::answered) {
        asked->answered_by = answer;
        asked->fate = fate;
    }
    if (said == nullptr) return;
    said->answers = asked->sequence;
    said->delay_ns = never_negative(said->time_ns - asked->time_ns);
}

}  // namespace p2pdiag::capture_plugin
