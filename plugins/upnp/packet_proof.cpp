#include "packet_proof.hpp"

#include <algorithm>
#include <cmath>

namespace p2pdiag::upnp_plugin {

namespace {

// DESIGN section 6: five sends 100 ms apart, and a tail of max(350 ms, 3 round trips).
constexpr Milliseconds pace{100};
constexpr unsigned block = 5;
constexpr unsigned most_sends = 25;
constexpr Milliseconds shortest_tail{350};
constexpr Milliseconds longest_tail{3000};
// Routers are known to take a second and more to put in force what they have granted: no silence is
// held against a forward before this is over, counted from the first question.
constexpr Milliseconds patience{3000};
// From then on the packets come from another port. A router that took the first ones for its own,
// the forward not being there yet, goes on doing so for as long as they come (Linux: conntrack).
constexpr Milliseconds change_source_after{1500};
constexpr unsigned most_openings = 10;
// Ten questions of which none is answered: the server does not do it.
constexpr unsigned silent_controls = 10;
// Seen at the interface: what is to reach the socket is there a moment later.
constexpr Milliseconds socket_patience{250};
// What silence must be too unlikely for, were it loss alone.
constexpr double credible = 0.001;

// How likely `asked` questions all stay unanswered by loss, given how many controls were answered.
double loss_likelihood(unsigned asked, unsigned answered) {
    const double lost = (asked - std::min(asked, answered) + 1.0) / (asked + 2.0);
    return std::pow(lost, asked);
}

}  // namespace

std::string_view to_string(Proof proof) {
    switch (proof) {
        case Proof::arrived: return "arrived";
        case Proof::stopped_here: return "stopped-here";
        case Proof::not_arrived: return "not-arrived";
        case Proof::server_unsupported: return "server-unsupported";
        case Proof::undecided: break;
    }
    return "undecided";
}

PacketProof::PacketProof(const ProofConfig& config, TransactionSource transactions, TimePoint now)
    : config_(config), transactions_(std::move(transactions)), next_send_(now), last_send_(now) {
    advance(now);
}

std::vector<PacketProof::Send> PacketProof::take_sends() { return std::exchange(sends_, {}); }

void PacketProof::on_time(TimePoint now) { advance(now); }

void PacketProof::on_datagram(Place place, const Endpoint& from, ByteView datagram, TimePoint now) {
    if (done() || !stun::looks_like_stun(datagram)) return;
    const auto message = stun::parse(datagram);
    if (!message) return;
    const auto found = sent_.find(message->transaction);
    if (found == sent_.end()) return;
    const Endpoint source{from.address.unmapped(), from.port};
    const Question question = found->second;
    if (place == Place::asking) {
        // Whatever comes back to the socket that asked is not what was asked for: an error
        // (RFC 5780 section 6.1: 420), or an answer of a server that ignores RESPONSE-PORT.
        if (source == config_.server) finish(Proof::server_unsupported);
    } else if (question == Question::opening) {
        const auto mapped = message->reflexive_address();
        if (place != Place::control || source != config_.other || !mapped) return;
        const auto opened = opened_.find(message->transaction);
        if (opened != opened_.end()) {
            rtt_ = std::chrono::duration_cast<Milliseconds>(now - opened->second);
        }
        if (!control_port_) control_port_ = mapped->port;
    } else {
        on_arrival(place, source, question, now);
    }
    advance(now);
}

void PacketProof::on_arrival(Place place, const Endpoint& from, Question question, TimePoint now) {
    // From its first address: it ignores CHANGE-REQUEST, so that nothing it does proves anything.
    if (from == config_.server) return finish(Proof::server_unsupported);
    const bool control = place == Place::control && question == Question::control;
    if (control && from == config_.other) ++result_.controls_answered;
    // A router may change the source of what it forwards: Linux gives it another port where the
    // same one has come by an older forward a moment ago. The transaction tells whose it is.
    if (question != Question::target) return;
    if (place == Place::target) {
        result_.at_socket = true;
        finish(Proof::arrived);
    } else if (place == Place::tap && !tapped_at_) {
        result_.at_interface = true;
        tapped_at_ = now;
        if (!config_.listens) finish(Proof::arrived);
    }
}

void PacketProof::advance(TimePoint now) {
    if (stage_ == Stage::opening && control_port_) {
        stage_ = Stage::asking;
        next_send_ = now;
    }
    if (stage_ == Stage::opening) open(now);
    if (stage_ == Stage::asking) ask(now);
    if (stage_ == Stage::asking) judge(now);
}

Milliseconds PacketProof::tail() const { return std::clamp(3 * rtt_, shortest_tail, longest_tail); }

void PacketProof::open(TimePoint now) {
    if (opening_sends_ == most_openings) {
        if (now >= last_send_ + tail()) finish(Proof::server_unsupported);
        return;
    }
    if (now < next_send_) return;
    ++opening_sends_;
    const auto id = send(Place::control, config_.other, Question::opening, std::nullopt);
    opened_[id] = now;
    last_send_ = now;
    next_send_ = now + pace;
}

// In blocks; between two there is time for the last answers.
void PacketProof::ask(TimePoint now) {
    if (now < next_send_ || result_.asked == most_sends) return;
    const bool between = result_.asked > 0 && result_.asked % block == 0;
    if (between && now < last_send_ + tail()) return;
    if (between) {
        judge(now);
        if (done()) return;
    }
    if (result_.asked == 0) first_asked_ = now;
    ++result_.asked;
    send(Place::asking, config_.server, Question::target, config_.external_port,
         config_.as_it_is || now >= first_asked_ + change_source_after);
    send(Place::asking, config_.server, Question::control, control_port_);
    last_send_ = now;
    next_send_ = now + pace;
}

void PacketProof::judge(TimePoint now) {
    if (tapped_at_) {
        // Later ones may still reach the socket; one that never does tells who stops them.
        if (now >= *tapped_at_ + socket_patience) finish(Proof::stopped_here);
        return;
    }
    const bool block_over =
        result_.asked > 0 && result_.asked % block == 0 && now >= last_send_ + tail();
    if (!block_over) return;
    if (result_.controls_answered == 0) {
        if (result_.asked >= silent_controls) finish(Proof::server_unsupported);
    } else if (loss_likelihood(result_.asked, result_.controls_answered) < credible &&
               (config_.as_it_is || now >= first_asked_ + patience)) {
        finish(Proof::not_arrived);
    } else if (result_.asked == most_sends) {
        finish(Proof::undecided);
    }
}

void PacketProof::finish(Proof proof) {
    result_.proof = proof;
    stage_ = Stage::done;
    sends_.clear();
}

stun::TransactionId PacketProof::send(Place from, const Endpoint& to, Question question,
                                      std::optional<std::uint16_t> response_port, bool same_port) {
    stun::Message request;
    request.transaction = transactions_();
    request.response_port = response_port;
    if (question != Question::opening)
        request.change_request = stun::ChangeRequest{true, !same_port};
    sent_[request.transaction] = question;
    sends_.push_back({from, to, stun::encode(request)});
    return request.transaction;
}

TimePoint PacketProof::next_wakeup() const {
    if (done()) return TimePoint::max();
    if (tapped_at_) return *tapped_at_ + socket_patience;
    const bool waiting = stage_ == Stage::opening ? opening_sends_ == most_openings
                                                  : result_.asked > 0 && result_.asked % block == 0;
    return waiting ? last_send_ + tail() : next_send_;
}

}  // namespace p2pdiag::upnp_plugin
