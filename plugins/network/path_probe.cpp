#include "path_probe.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <map>

#include "net/stun.hpp"
#include "net/udp_socket.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::network_plugin {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::microseconds;

namespace {

constexpr unsigned rounds = 16;
constexpr Milliseconds interval = 60ms;
constexpr Milliseconds shortest_tail = 350ms;
constexpr Milliseconds longest_tail = 1000ms;
// The largest size goes out with the first rounds; if it stays silent, what follows goes out with
// every second of the next, which keeps it below 1 Mbit/s.
constexpr unsigned first_look = enough_silent;
constexpr unsigned second_looks = 4;
// Links in the field: PPPoE 1492, 6in4 1480 and 1472, WireGuard 1420, GRE and IPsec around 1400,
// IPv6's least 1280 (RFC 8200 section 5), and IPv4's 576, which every host takes (RFC 791).
constexpr std::array<unsigned, 6> known_sizes{1492, 1472, 1420, 1400, 1280, 576};
constexpr unsigned least_ipv6 = 1280;
// An unassigned comprehension-optional type (RFC 8489 section 18.3): servers skip what they do not
// know.
constexpr std::uint16_t padding_type = 0x9F00;

unsigned headers_of(Family family) { return (family == Family::ipv4 ? 20 : 40) + 8; }

// A request whose IP packet has `size` bytes, or of the least size for 0.
Bytes request_of(unsigned size, Family family, const stun::TransactionId& id) {
    stun::EncodeOptions plain;
    plain.fingerprint = false;
    stun::Message request;
    request.transaction = id;
    const unsigned least = headers_of(family) + stun::header_size + 4;
    if (size > least) {
        // RFC 8489 section 14: values are padded to four bytes; a few bytes below the size will do.
        const unsigned padding = (size - least) / 4 * 4;
        request.others.push_back({padding_type, Bytes(padding)});
    }
    return stun::encode(request, plain);
}

class Prober {
public:
    Prober(net::UdpSocket socket, std::shared_ptr<PathTarget> target)
        : socket_(std::move(socket)), target_(std::move(target)) {
        SizeTally largest;
        largest.size = target_->mtu.link_mtu;
        target_->mtu.sizes = {largest};
    }

    void send_round(unsigned round) {
        send(none);
        const bool silent = target_->mtu.sizes.front().answered == 0;
        if (!silent) return;
        if (round < first_look) send(0);
        if (round == first_look) add_sizes();
        const bool second = round >= first_look && (round - first_look) % 2 == 0 &&
                            round < first_look + 2 * second_looks;
        if (!second) return;
        for (std::size_t i = 1; i < target_->mtu.sizes.size(); ++i) send(i);
    }

    asio::awaitable<void> wait_until(TimePoint until) {
        while (Clock::now() < until) {
            const bool arrived = co_await socket_.wait(until);
            if (arrived) receive();
        }
    }

    void receive() {
        const auto on_datagram = [this](const Endpoint& from, ByteView bytes) {
            if (from == target_->server) on_answer(bytes);
        };
        const auto on_error = [this](const net::SendError& error) { on_icmp(error); };
        socket_.receive(on_datagram, on_error);
    }

    bool all_answered() const { return waiting_.empty(); }

    Milliseconds tail() const {
        const auto three = std::chrono::duration_cast<Milliseconds>(3 * longest_);
        return std::clamp(three, shortest_tail, longest_tail);
    }

    // A machine without time sends later than it was to, so it is not the plan that counts. What
    // looks lost has as long as any answer may take: an answer that comes late is none that was
    // lost.
    TimePoint patience() const {
        const Series& series = target_->series;
        return last_sent_ + (series.lossy() || series.fell_silent() ? longest_tail : tail());
    }

private:
    static constexpr std::size_t none = ~std::size_t{0};

    struct Sent {
        std::size_t size = none;  // index into the sizes; none = a small one
        TimePoint at;
        unsigned number = 0;  // of a small one, from 1
    };

    // Index into the sizes, or none.
    void send(std::size_t index) {
        MtuTrial& mtu = target_->mtu;
        const bool small = index == none;
        const bool pieces = !small && mtu.sizes[index].fragments;
        const stun::TransactionId id = net::random_transaction_id();
        const Bytes request = request_of(small ? 0 : mtu.sizes[index].size, socket_.family(), id);
        socket_.set_fragmentation(pieces ? net::Fragmentation::allowed : net::Fragmentation::never);
        const TimePoint now = Clock::now();
        if (socket_.send(request, target_->server)) return;
        waiting_[id] = {index, now, small ? target_->series.sent + 1 : 0};
        last_sent_ = now;
        if (small) {
            ++target_->series.sent;
            ++mtu.small_sent;
        } else {
            ++mtu.sizes[index].sent;
        }
    }

    void add_sizes() {
        MtuTrial& mtu = target_->mtu;
        SizeTally pieces;
        pieces.size = mtu.link_mtu;
        pieces.fragments = true;
        mtu.sizes.push_back(pieces);
        for (const unsigned size : known_sizes) {
            const bool possible = socket_.family() == Family::ipv4 || size >= least_ipv6;
            if (size >= mtu.link_mtu || !possible) continue;
            SizeTally smaller;
            smaller.size = size;
            mtu.sizes.push_back(smaller);
        }
    }

    // Any valid response to a request of ours will do: an error too has come all the way.
    void on_answer(ByteView bytes) {
        const auto message = stun::parse(bytes);
        if (!message) return;
        const auto found = waiting_.find(message->transaction);
        if (found == waiting_.end()) return;
        const auto trip = std::chrono::duration_cast<microseconds>(Clock::now() - found->second.at);
        if (found->second.size == none) {
            Series& series = target_->series;
            series.round_trips.push_back(trip);
            series.last_answered = std::max(series.last_answered, found->second.number);
            ++target_->mtu.small_answered;
        } else {
            ++target_->mtu.sizes[found->second.size].answered;
        }
        longest_ = std::max(longest_, trip);
        waiting_.erase(found);
    }

    void on_icmp(const net::SendError& error) {
        const bool told = error.error == boost::system::errc::message_size && error.reporter;
        if (!told || error.destination != target_->server || error.mtu == 0) return;
        if (target_->mtu.told_mtu) return;
        target_->mtu.told_mtu = error.mtu;
        target_->mtu.told_by = error.reporter;
    }

    net::UdpSocket socket_;
    std::shared_ptr<PathTarget> target_;
    std::map<stun::TransactionId, Sent> waiting_;
    microseconds longest_{0};
    TimePoint last_sent_ = Clock::now();
};

}  // namespace

asio::awaitable<void> probe_target(std::shared_ptr<PathTarget> target) {
    const auto executor = co_await asio::this_coro::executor;
    auto socket = net::UdpSocket::open(executor, target->server.address.family());
    if (!socket) co_return;
    Prober prober(std::move(*socket), target);
    const TimePoint start = Clock::now();
    for (unsigned round = 0; round < rounds; ++round) {
        prober.send_round(round);
        co_await prober.wait_until(start + (round + 1) * interval);
    }
    while (!prober.all_answered()) {
        const TimePoint until = prober.patience();
        if (Clock::now() >= until) break;
        co_await prober.wait_until(std::min(until, Clock::now() + interval));
    }
    prober.receive();
}

}  // namespace p2pdiag::network_plugin
