#include "net/icmp_watch.hpp"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "net/deadline.hpp"
#include "net/endpoint.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;

namespace {

constexpr unsigned most_errors = 64;

// Everything else this machine receives is of no interest.
void want_errors_only(int fd, bool v4) {
    if (v4) {
        // raw(7): a set bit blocks a type.
        icmp_filter filter{};
        filter.data = ~(1U << ICMP_DEST_UNREACH | 1U << ICMP_TIME_EXCEEDED);
        ::setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
        return;
    }
    icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &filter);
    ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
}

}  // namespace

Result<IcmpWatch> IcmpWatch::open(const asio::any_io_executor& executor, Family family) {
    const bool v4 = family == Family::ipv4;
    const int protocol = v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6);
    const int fd =
        ::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0) return ErrorCode(errno, boost::system::system_category());
    want_errors_only(fd, v4);
    return IcmpWatch(asio::posix::stream_descriptor(executor, fd), family);
}

asio::awaitable<bool> IcmpWatch::wait(TimePoint until) {
    if (until <= Clock::now()) co_return false;
    auto readable =
        socket_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    const bool arrived = co_await in_time(until, std::move(readable));
    co_return arrived;
}

void IcmpWatch::receive(
    const std::function<void(const IpAddress& from, const icmp::Error&)>& on_error) {
    std::array<std::uint8_t, 2048> buffer{};
    for (unsigned i = 0; i < most_errors; ++i) {
        sockaddr_storage storage;
        socklen_t size = sizeof storage;
        const ssize_t received =
            ::recvfrom(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                       reinterpret_cast<sockaddr*>(&storage), &size);
        if (received < 0) return;
        ByteView message(buffer.data(), static_cast<std::size_t>(received));
        if (family_ == Family::ipv4) message = icmp::without_ipv4_header(message);
        const auto from = from_sockaddr(reinterpret_cast<const sockaddr*>(&storage));
        const auto error = icmp::parse_error(family_, message);
        if (from && error) on_error(from->address, *error);
    }
}

}  // namespace p2pdiag::net
