#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "net/routes.hpp"
#include "net/stun.hpp"
#include "net/udp_socket.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;

namespace {

// One ICMP message may be late news about somebody else's port; two in a row are not.
constexpr unsigned refusals_to_believe = 2;

// The transaction without its waiting: what was sent, what came, and what that means.
class UdpBinding {
public:
    UdpBinding(UdpSocket& socket, Endpoint server, std::shared_ptr<RoundTrips> seen)
        : socket_(socket), seen_(std::move(seen)) {
        result_.server = server;
        result_.local = socket.local();
    }

    bool done() const { return done_; }

    void send() {
        stun::Message request;
        request.transaction = random_transaction_id();
        const ErrorCode error = socket_.send(stun::encode(request, plain()), result_.server);
        ++result_.sent;
        if (!error) {
            sends_.push_back({request.transaction, Clock::now()});
        } else if (error == boost::system::errc::host_unreachable) {
            ++result_.unreachable;
        } else if (is_no_route(error)) {
            end(Outcome::no_route, error.message());
        } else if (error == boost::system::errc::operation_not_permitted) {
            ++forbidden_;
        } else if (error != boost::system::errc::operation_would_block) {
            end(Outcome::local_error, error.message());
        }
    }

    void receive() {
        const auto datagram = [this](const Endpoint& from, ByteView bytes) {
            if (!done_) on_datagram(from, bytes);
        };
        const auto problem = [this](const SendError& error) { on_error(error); };
        socket_.receive(datagram, problem);
    }

    BindingResult finish() {
        if (!done_) conclude_silence();
        return std::move(result_);
    }

private:
    struct Sent {
        stun::TransactionId id;
        TimePoint at;
    };

    // Old servers know no FINGERPRINT; the bare header is what all of them understand.
    static stun::EncodeOptions plain() {
        stun::EncodeOptions options;
        options.fingerprint = false;
        return options;
    }

    void end(Outcome outcome, std::string detail = {}) {
        result_.outcome = outcome;
        result_.detail = std::move(detail);
        done_ = true;
    }

    const Sent* request_of(ByteView datagram) const {
        if (!stun::looks_like_stun(datagram)) return nullptr;
        const ByteView id = datagram.subspan(8, 12);
        const auto found = std::find_if(sends_.begin(), sends_.end(), [&](const Sent& sent) {
            return std::equal(id.begin(), id.end(), sent.id.begin());
        });
        return found == sends_.end() ? nullptr : &*found;
    }

    void on_datagram(const Endpoint& from, ByteView datagram) {
        const Sent* request = request_of(datagram);
        if (from != result_.server) {
            if (request == nullptr) return;  // nothing to do with us
            ++result_.wrong_source;
            if (!result_.answered_from) result_.answered_from = from;
        } else if (request != nullptr) {
            on_response(*request, datagram);
        } else if (stun::looks_like_stun(datagram)) {
            ++result_.wrong_transaction;
        } else {
            ++result_.malformed;
        }
    }

    void on_response(const Sent& request, ByteView datagram) {
        auto message = stun::parse(datagram);
        auto kind = stun::BindingResponse::invalid;
        if (message && !message->is_classic()) kind = stun::as_binding_response(*message);
        if (kind == stun::BindingResponse::invalid) {
            ++result_.malformed;
            return;
        }
        const auto rtt = std::chrono::duration_cast<Microseconds>(Clock::now() - request.at);
        result_.rtt = rtt;
        if (seen_) seen_->add(rtt);
        if (kind == stun::BindingResponse::success) {
            end(Outcome::ok);
        } else {
            end(Outcome::error_response, std::to_string(message->error->code));
        }
        result_.response = std::move(*message);
    }

    void on_error(const SendError& error) {
        if (done_ || error.destination != result_.server) return;
        const auto said = error.said();
        const auto outcome = said ? outcome_of(*said, result_.server) : std::nullopt;
        if (!outcome) return;
        if (*outcome == Outcome::unreachable) {
            ++result_.unreachable;
            if (!by_hop_) by_hop_ = said;
            return;
        }
        const bool by_server = *outcome == Outcome::refused;
        (by_server ? by_server_ : by_us_) = said;
        unsigned& count = by_server ? result_.refused : refused_here_;
        if (++count == refusals_to_believe) blame(*outcome, said);
    }

    void blame(Outcome outcome, const std::optional<icmp::Said>& said) {
        result_.said = said;
        end(outcome);
    }

    // The schedule is over without a response. What did come explains most.
    void conclude_silence() {
        const auto mostly = [this](Outcome outcome) { result_.outcome = outcome; };
        if (result_.malformed > 0) return mostly(Outcome::malformed);
        if (result_.wrong_source > 0) {
            result_.detail = "answered from " + result_.answered_from->to_string();
            return mostly(Outcome::wrong_source);
        }
        if (result_.wrong_transaction > 0) return mostly(Outcome::wrong_transaction);
        if (result_.refused > 0) return blame(Outcome::refused, by_server_);
        if (refused_here_ > 0) return blame(Outcome::not_permitted, by_us_);
        if (result_.unreachable > 0) return blame(Outcome::unreachable, by_hop_);
        if (forbidden_ > 0 && forbidden_ == result_.sent) return mostly(Outcome::not_permitted);
        if (sends_.empty()) return end(Outcome::local_error, "nothing could be sent");
        mostly(Outcome::no_answer);
    }

    UdpSocket& socket_;
    std::shared_ptr<RoundTrips> seen_;
    BindingResult result_;
    std::vector<Sent> sends_;
    std::optional<icmp::Said> by_server_;
    std::optional<icmp::Said> by_us_;
    std::optional<icmp::Said> by_hop_;  // the first
    unsigned refused_here_ = 0;         // by this machine's own rules, as ICMP tells
    unsigned forbidden_ = 0;            // … and as the kernel told at once
    bool done_ = false;
};

}  // namespace

asio::awaitable<BindingResult> udp_binding(std::shared_ptr<UdpSocket> socket, Endpoint server,
                                           std::shared_ptr<RoundTrips> seen, UdpSchedule schedule) {
    UdpBinding binding(*socket, server, seen);
    const TimePoint start = Clock::now();
    for (unsigned round = 1; round <= schedule.sends && !binding.done(); ++round) {
        binding.send();
        const TimePoint next = start + round * schedule.interval;
        // g++ 12.2 evaluates a co_await behind && in a loop condition whatever the left side says.
        while (!binding.done()) {
            const bool arrived = co_await socket->wait(next);
            if (!arrived) break;
            binding.receive();
        }
    }
    // Time is looked at again after each wake-up: a parallel transaction may have learnt meanwhile
    // how slow the path is.
    const TimePoint last = start + (schedule.sends - 1) * schedule.interval;
    while (!binding.done()) {
        const auto seen_so_far = seen ? seen->longest() : Microseconds(0);
        auto tail =
            std::clamp<Clock::duration>(3 * seen_so_far, schedule.tail, schedule.longest_tail);
        if (seen_so_far == seen_so_far.zero()) {
            tail = std::max<Clock::duration>(tail, schedule.unseen_tail);
        }
        if (Clock::now() >= last + tail) break;
        const bool arrived = co_await socket->wait(last + tail);
        if (arrived) binding.receive();
    }
    // What came while a busy machine let this process wait is no silence.
    if (!binding.done()) binding.receive();
    co_return binding.finish();
}

}  // namespace p2pdiag::net
