#include "lifetime_probe.hpp"

#include <algorithm>

#include "loss.hpp"

namespace p2pdiag::nat {

namespace {

using std::chrono::seconds;

// The expiries that NATs are known for: 30 s and 60 s are common, RFC 4787 REQ-5 wants 120 s, Linux
// takes 30 s for a mapping without a second exchange and 120 s after it. Zero proves at once that
// RESPONSE-PORT works.
constexpr seconds first_round[] = {seconds(0),   seconds(10), seconds(20), seconds(30),
                                   seconds(45),  seconds(60), seconds(90), seconds(120),
                                   seconds(180), seconds(300)};
constexpr unsigned most_rounds = 2;
constexpr unsigned refinements = 4;
constexpr seconds finest{2};

constexpr Milliseconds pace{100};
constexpr Milliseconds patience{600};  // for the last answers
constexpr unsigned most_opening_sends = 25;
// A mapping counts as dead when ten requests or more stay unanswered, and what the fresh mapping
// beside it lost of as many cannot explain that.
constexpr unsigned fewest_asked = 10;
constexpr unsigned most_asked = 60;
// What opening, asking and waiting take besides the idle time.
constexpr seconds overhead{8};

}  // namespace

LifetimeProbe::LifetimeProbe(const LifetimeConfig& config, TransactionSource transactions,
                             TimePoint now)
    : config_(config), transactions_(std::move(transactions)), started_(now), now_(now) {
    asking_socket_ = add_socket();
    std::vector<Duration> idle_times;
    for (const seconds idle : first_round) {
        if (idle + overhead <= config_.limit) idle_times.push_back(idle);
    }
    if (idle_times.empty()) failure_ = Reason::no_time;
    start_round(idle_times);
    advance(now);
}

std::vector<Action> LifetimeProbe::take_actions() { return std::exchange(actions_, {}); }

SocketId LifetimeProbe::add_socket() {
    actions_.emplace_back(OpenSocket{sockets_, 0, PortKind::even});
    return sockets_++;
}

void LifetimeProbe::start_round(const std::vector<Duration>& idle_times) {
    ++rounds_;
    round_start_ = steps_.size();
    for (const Duration idle : idle_times) {
        Step step;
        step.idle = idle;
        step.socket = add_socket();
        step.next_send = now_;
        steps_.push_back(step);
    }
}

void LifetimeProbe::on_open_failed(SocketId socket) {
    for (Step& step : steps_) {
        if (step.socket == socket || step.control == socket) step.stage = Stage::undecided;
    }
}

void LifetimeProbe::on_time(TimePoint now) { advance(now); }

void LifetimeProbe::on_datagram(SocketId socket, const Endpoint& from, ByteView datagram,
                                TimePoint now) {
    const Endpoint source{from.address.unmapped(), from.port};
    if (done_ || source != config_.server) return;
    const auto message = stun::parse(datagram);
    if (!message) return;
    const auto found = sent_.find(message->transaction);
    if (found == sent_.end()) return;
    const Sent sent = found->second;
    Step& step = steps_[sent.step];
    const bool success = stun::as_binding_response(*message) == stun::BindingResponse::success;
    if (sent.by_response_port && socket == asking_socket_) {
        // RFC 5780 section 6.1: a server without RESPONSE-PORT answers 420, an older one ignores
        // it.
        failure_ = Reason::server_unsupported;
    } else if (success && socket == sent.target) {
        sent_.erase(found);
        const auto mapped = message->reflexive_address();
        if (sent.is_opening && mapped) {
            auto& known = sent.is_control ? step.control_mapped : step.mapped;
            if (!known) known = mapped;
            // Any answer passed the mapping, so it may have been refreshed now.
            if (!sent.is_control) step.last_used = now;
        } else if (sent.by_response_port) {
            proven_ = true;
            if (sent.is_control) {
                ++step.control_answers;
            } else if (step.stage == Stage::asking) {
                step.stage = Stage::alive;
            }
        }
    }
    advance(now);
}

void LifetimeProbe::advance(TimePoint now) {
    now_ = now;
    if (done_) return;
    for (std::size_t i = round_start_; i < steps_.size(); ++i) advance_step(i);
    skip_pointless_steps();
    const bool over = std::all_of(steps_.begin(), steps_.end(),
                                  [this](const Step& step) { return is_over(step); });
    if (over) finish_round();
    if (failure_ != Reason::none || now_ - started_ >= config_.limit) done_ = true;
    if (done_) actions_.clear();
}

bool LifetimeProbe::is_over(const Step& step) const {
    return step.stage == Stage::alive || step.stage == Stage::dead ||
           step.stage == Stage::undecided || step.stage == Stage::skipped;
}

// Two of them gone: what was to wait longer still would only hold up the second round.
void LifetimeProbe::skip_pointless_steps() {
    constexpr auto enough = 2;
    const auto is_dead = [](const Step& step) { return step.stage == Stage::dead; };
    const auto first = steps_.begin() + static_cast<std::ptrdiff_t>(round_start_);
    if (std::count_if(first, steps_.end(), is_dead) < enough) return;
    for (auto step = first; step != steps_.end(); ++step) {
        const bool longer = std::all_of(first, steps_.end(), [&](const Step& other) {
            return !is_dead(other) || other.idle < step->idle;
        });
        if (step->stage == Stage::waiting && longer) step->stage = Stage::skipped;
    }
}

void LifetimeProbe::advance_step(std::size_t index) {
    Step& step = steps_[index];
    if (step.stage == Stage::opening) {
        if (step.mapped) {
            step.stage = Stage::waiting;
        } else if (now_ >= step.next_send) {
            open(index, false);
        }
    }
    if (step.stage == Stage::waiting && now_ >= step.last_used + step.idle) {
        step.stage = Stage::asking;
        step.idle = now_ - step.last_used;
        step.sent = 0;
        step.next_send = now_;
        step.control = add_socket();
    }
    if (step.stage == Stage::asking && now_ >= step.next_send) {
        if (step.control_mapped) {
            ask(index);
        } else {
            open(index, true);
        }
    }
}

// Binding requests until one is answered. Nobody knows whether an unanswered one refreshed the
// mapping, so the idle time counts from the last send.
void LifetimeProbe::open(std::size_t index, bool control) {
    Step& step = steps_[index];
    if (step.sent == most_opening_sends) {
        step.stage = Stage::undecided;
        const bool nothing_yet =
            std::none_of(steps_.begin(), steps_.end(), [](const Step& s) { return s.mapped; });
        if (nothing_yet) failure_ = Reason::no_server_answered;
        return;
    }
    ++step.sent;
    step.next_send = now_ + pace;
    if (!control) step.last_used = now_;
    const SocketId socket = control ? step.control : step.socket;
    send(socket, std::nullopt, {index, socket, true, false, control});
}

// The old mapping and the fresh one by turns, until one is proven.
void LifetimeProbe::ask(std::size_t index) {
    Step& step = steps_[index];
    // RESPONSE-PORT leads to the asking socket's own address; only a control at the same address as
    // the old mapping shows that the old one can be reached.
    if (step.mapped->address != step.control_mapped->address) {
        step.stage = Stage::undecided;
        return;
    }
    const bool waited = now_ - step.last_send >= patience;
    const Tally fresh{step.asked, step.asked - std::min(step.asked, step.control_answers)};
    const bool controls_pass = loss_likelihood(fresh, step.asked) < credible_ratio;
    if (step.asked >= fewest_asked && waited && controls_pass) {
        step.stage = Stage::dead;
        return;
    }
    // One look after each ten, with time for the last answers to come in.
    if (step.asked >= fewest_asked && step.asked % fewest_asked == 0 && !waited) {
        step.next_send = step.last_send + patience;
        return;
    }
    if (step.asked == most_asked) {
        step.stage = Stage::undecided;
        if (!proven_) failure_ = Reason::server_unsupported;
        return;
    }
    ++step.asked;
    step.next_send = now_ + pace;
    step.last_send = now_;
    send(asking_socket_, step.mapped->port, {index, step.socket, false, true, false});
    send(asking_socket_, step.control_mapped->port, {index, step.control, false, true, true});
}

void LifetimeProbe::send(SocketId socket, std::optional<std::uint16_t> response_port,
                         const Sent& sent) {
    stun::Message request;
    request.transaction = transactions_();
    request.response_port = response_port;
    sent_[request.transaction] = sent;
    actions_.emplace_back(SendDatagram{socket, config_.server, stun::encode(request), 0});
}

// A second round between the bounds of the first, where there is time for it.
void LifetimeProbe::finish_round() {
    const Lifetime bounds = result();
    done_ = true;
    if (rounds_ >= most_rounds || !bounds.alive || !bounds.dead) return;
    const Duration gap = *bounds.dead - *bounds.alive;
    std::vector<Duration> idle_times;
    for (unsigned i = 1; i <= refinements; ++i) {
        const Duration idle = *bounds.alive + gap * i / (refinements + 1);
        const bool fits = now_ - started_ + idle + overhead <= config_.limit;
        if (fits && gap > finest) idle_times.push_back(idle);
    }
    if (idle_times.empty()) return;
    done_ = false;
    start_round(idle_times);
    for (std::size_t i = round_start_; i < steps_.size(); ++i) advance_step(i);
}

Lifetime LifetimeProbe::result() const {
    Lifetime lifetime;
    lifetime.rounds = rounds_;
    for (const Step& step : steps_) {
        if (step.stage == Stage::dead && (!lifetime.dead || step.idle < *lifetime.dead)) {
            lifetime.dead = step.idle;
        }
    }
    for (const Step& step : steps_) {
        const bool alive = step.stage == Stage::alive;
        // Alive for longer than another was dead: neither bound can be trusted that far.
        const bool contradiction = alive && lifetime.dead && step.idle >= *lifetime.dead;
        const bool open = !alive && step.stage != Stage::dead && step.stage != Stage::skipped;
        if (open) ++lifetime.undecided;
        if (contradiction) {
            Lifetime unknown;
            unknown.alive_reason = unknown.dead_reason = Reason::inconsistent;
            unknown.rounds = rounds_;
            return unknown;
        }
        if (alive && (!lifetime.alive || step.idle > *lifetime.alive)) lifetime.alive = step.idle;
    }
    // A mapping that was dead at once is no lifetime: answers to another port do not get in at all.
    if (lifetime.dead && !lifetime.alive) lifetime.dead.reset();
    if (lifetime.alive) {
        if (!lifetime.dead) lifetime.dead_reason = why_not_dead(*lifetime.alive);
        return lifetime;
    }
    lifetime.alive_reason = failure_ != Reason::none ? failure_ : Reason::loss;
    if (!done_) lifetime.alive_reason = Reason::cancelled;
    lifetime.dead_reason = lifetime.alive_reason;
    return lifetime;
}

// Only who waited longest of all, and was alive, has seen no end.
Reason LifetimeProbe::why_not_dead(Duration alive) const {
    bool lost = false;
    bool waiting = false;
    for (const Step& step : steps_) {
        if (step.idle <= alive) continue;
        (step.stage == Stage::undecided ? lost : waiting) |= step.stage != Stage::skipped;
    }
    if (waiting) return done_ ? Reason::no_time : Reason::cancelled;
    return lost ? Reason::loss : Reason::longer_than_measured;
}

double LifetimeProbe::fraction_done() const {
    Duration longest{};
    for (const Step& step : steps_) {
        if (!is_over(step)) longest = std::max(longest, step.last_used + step.idle - now_);
    }
    const Duration passed = now_ - started_;
    const auto total = std::chrono::duration<double>(passed + longest + seconds(1)).count();
    return std::clamp(std::chrono::duration<double>(passed).count() / total, 0.0, 1.0);
}

TimePoint LifetimeProbe::next_wakeup() const {
    if (done_) return TimePoint::max();
    TimePoint next = started_ + config_.limit;
    for (std::size_t i = round_start_; i < steps_.size(); ++i) {
        const Step& step = steps_[i];
        if (step.stage == Stage::waiting) next = std::min(next, step.last_used + step.idle);
        const bool sending = step.stage == Stage::opening || step.stage == Stage::asking;
        if (sending) next = std::min(next, step.next_send);
    }
    return std::max(next, now_ + Milliseconds(1));
}

}  // namespace p2pdiag::nat
