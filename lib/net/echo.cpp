#include "net/echo.hpp"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "base/random.hpp"
#include "net/deadline.hpp"
#include "net/endpoint.hpp"
#include "net/error.hpp"
#include "net/flow.hpp"
#include "wire/icmp/message.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;
namespace errc = boost::system::errc;

namespace {

constexpr unsigned most_replies = 64;
constexpr Milliseconds longest_tail{1000};
// As much as ping(8) sends.
constexpr std::size_t payload_size = 56;

// A raw ICMPv6 socket would get every message of this machine.
void want_replies_only(int fd) {
    icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
}

// A datagram socket sends with the identifier that the kernel gave it (icmp(7)), which is told as
// its port once it is bound.
std::optional<Endpoint> bound_identifier(int fd, bool v4) {
    sockaddr_storage storage;
    const IpAddress any = v4 ? IpAddress::v4(0) : IpAddress::v6({});
    socklen_t size = to_sockaddr({any, 0}, storage);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) != 0) return std::nullopt;
    size = sizeof storage;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
    return from_sockaddr(reinterpret_cast<const sockaddr*>(&storage));
}

}  // namespace

EchoSocket::EchoSocket(asio::posix::stream_descriptor socket, Family family, bool raw)
    : socket_(std::move(socket)), family_(family), raw_(raw) {
    std::array<std::uint8_t, 2> bytes{};
    fill_random(bytes);
    identifier_ = static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

bool EchoSocket::not_permitted(const ErrorCode& error) {
    return error == errc::operation_not_permitted || error == errc::permission_denied;
}

Result<EchoSocket> EchoSocket::open(const asio::any_io_executor& executor, Family family) {
    const bool v4 = family == Family::ipv4;
    const int domain = v4 ? AF_INET : AF_INET6;
    const int protocol = v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6);
    bool raw = false;
    // icmp(7): ping_group_range; root is not in it by itself.
    int fd = ::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0) {
        raw = true;
        fd = ::socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    }
    if (fd < 0) return last_error();
    if (raw && !v4) want_replies_only(fd);
    keep_errors(fd, family, true);
    EchoSocket opened(asio::posix::stream_descriptor(executor, fd), family, raw);
    const Endpoint own{v4 ? IpAddress::v4(0) : IpAddress::v6({}), opened.identifier_};
    const std::optional<Endpoint> local = raw ? own : bound_identifier(fd, v4);
    if (local) tell_flow({.local = local, .remote = std::nullopt, .echo = true});
    return opened;
}

ErrorCode EchoSocket::send(const IpAddress& to, int interface, std::uint16_t sequence) {
    const std::array<std::uint8_t, payload_size> payload{};
    const Bytes request =
        icmp::encode_echo_request(family_, icmp::Echo{identifier_, sequence, payload});
    sockaddr_storage storage;
    const socklen_t size = to_sockaddr({to, 0}, storage, interface);
    const int fd = socket_.native_handle();
    // As in UdpSocket::send: the error of an earlier request would be reported for this one.
    int pending = 0;
    socklen_t pending_size = sizeof pending;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &pending_size);
    const ssize_t sent = ::sendto(fd, request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&storage), size);
    return sent < 0 ? last_error() : ErrorCode();
}

asio::awaitable<bool> EchoSocket::wait(TimePoint until) {
    if (until <= Clock::now()) co_return false;
    auto readable =
        socket_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    const bool arrived = co_await in_time(until, std::move(readable));
    co_return arrived;
}

std::optional<EchoSocket::Reply> EchoSocket::read_reply(const IpAddress& from,
                                                        ByteView packet) const {
    if (raw_ && family_ == Family::ipv4) packet = icmp::without_ipv4_header(packet);
    const auto echo = icmp::parse_echo_reply(family_, packet);
    if (!echo || (raw_ && echo->identifier != identifier_)) return std::nullopt;
    return Reply{from, echo->sequence};
}

void EchoSocket::receive(std::vector<Reply>& replies, std::vector<SendError>& errors) {
    const int fd = socket_.native_handle();
    std::optional<SendError> error;
    for (unsigned i = 0; i < most_replies && take_error(fd, error); ++i) {
        if (error) errors.push_back(*error);
    }
    std::array<std::uint8_t, 2048> buffer{};
    for (unsigned i = 0; i < most_replies; ++i) {
        sockaddr_storage storage;
        socklen_t size = sizeof storage;
        const ssize_t received = ::recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                            reinterpret_cast<sockaddr*>(&storage), &size);
        if (received < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) break;
            continue;
        }
        const auto from = from_sockaddr(reinterpret_cast<const sockaddr*>(&storage));
        if (!from) continue;
        const ByteView packet(buffer.data(), static_cast<std::size_t>(received));
        if (const auto reply = read_reply(from->address, packet)) replies.push_back(*reply);
    }
}

namespace {

// The series without its waiting.
class Series {
public:
    Series(EchoSocket& socket, const IpAddress& to, int interface)
        : socket_(socket), to_(to), interface_(interface) {}

    void send() {
        const auto sequence = static_cast<std::uint16_t>(sent_at_.size());
        sent_at_.push_back(Clock::now());
        const ErrorCode error = socket_.send(to_, interface_, sequence);
        if (error && error != errc::operation_would_block) {
            refused_ = error;
        } else {
            ++result_.sent;
        }
        answered_.push_back(false);
    }

    void receive() {
        std::vector<EchoSocket::Reply> replies;
        std::vector<SendError> errors;
        socket_.receive(replies, errors);
        const TimePoint now = Clock::now();
        for (const auto& reply : replies) {
            const bool ours = reply.from == to_ && reply.sequence < answered_.size();
            if (!ours || answered_[reply.sequence]) continue;
            answered_[reply.sequence] = true;
            const auto trip = std::chrono::duration_cast<std::chrono::microseconds>(
                now - sent_at_[reply.sequence]);
            result_.round_trips.push_back(trip);
            longest_ = std::max(longest_, trip);
        }
        if (!errors.empty() && !result_.first_error) result_.first_error = errors.front();
    }

    bool all_answered() const { return result_.round_trips.size() >= answered_.size(); }
    std::chrono::microseconds longest() const { return longest_; }

    PingResult finish() {
        if (result_.sent == 0) result_.error = refused_;
        return std::move(result_);
    }

private:
    EchoSocket& socket_;
    IpAddress to_;
    int interface_;
    std::vector<TimePoint> sent_at_;
    std::vector<bool> answered_;
    std::chrono::microseconds longest_{0};
    ErrorCode refused_;
    PingResult result_;
};

}  // namespace

asio::awaitable<PingResult> ping(IpAddress to, int interface, PingPlan plan) {
    auto socket = EchoSocket::open(co_await asio::this_coro::executor, to.family());
    if (!socket) {
        PingResult result;
        result.error = socket.error();
        co_return result;
    }
    Series series(*socket, to, interface);
    const TimePoint start = Clock::now();
    TimePoint last = start;  // on a machine without time it is later than planned
    for (unsigned i = 1; i <= plan.count; ++i) {
        last = Clock::now();
        series.send();
        const TimePoint next = start + i * plan.interval;
        while (Clock::now() < next) {
            const bool arrived = co_await socket->wait(next);
            if (arrived) series.receive();
        }
    }
    while (!series.all_answered()) {
        const auto tail =
            std::clamp<Clock::duration>(3 * series.longest(), plan.tail, longest_tail);
        const bool arrived = co_await socket->wait(last + tail);
        if (!arrived) break;
        series.receive();
    }
    series.receive();
    co_return series.finish();
}

}  // namespace p2pdiag::net
