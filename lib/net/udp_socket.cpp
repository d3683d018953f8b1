#include "net/udp_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "net/deadline.hpp"
#include "net/endpoint.hpp"
#include "net/error.hpp"
#include "net/flow.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;
using asio::ip::udp;

namespace {

// The largest UDP payload over IPv4 is 65 507 bytes, over IPv6 a little more.
constexpr std::size_t max_datagram = 65536;

// Room for a sock_extended_err with the reporter's address behind it, and for what else the kernel
// may put there.
struct ControlBuffer {
    alignas(cmsghdr) std::array<char, 512> bytes{};
};

ErrorCode set_option(int fd, int level, int name, int value) {
    if (::setsockopt(fd, level, name, &value, sizeof value) == 0) return {};
    return last_error();
}

ErrorCode set_multicast_link(int fd, bool v4, int interface) {
    if (!v4) return set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, interface);
    ip_mreqn link{};
    link.imr_ifindex = interface;
    if (::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &link, sizeof link) == 0) return {};
    return last_error();
}

}  // namespace

UdpSocket::UdpSocket(udp::socket socket, Family family, int interface)
    : socket_(std::move(socket)), family_(family), interface_(interface) {}

Result<UdpSocket> UdpSocket::open(const asio::any_io_executor& executor, Family family,
                                  std::uint16_t port) {
    const udp::endpoint anywhere(family == Family::ipv4 ? udp::v4() : udp::v6(), port);
    return open_bound(executor, family, anywhere, 0);
}

Result<UdpSocket> UdpSocket::open_on(const asio::any_io_executor& executor, const IpAddress& local,
                                     int interface, std::uint16_t port) {
    return open_bound(executor, local.family(), to_udp({local, port}, interface), interface);
}

Result<UdpSocket> UdpSocket::open_bound(const asio::any_io_executor& executor, Family family,
                                        const udp::endpoint& local, int interface) {
    const bool v4 = family == Family::ipv4;
    udp::socket socket(executor);
    ErrorCode error;
    socket.open(v4 ? udp::v4() : udp::v6(), error);
    if (error) return error;
    if (!v4) socket.set_option(asio::ip::v6_only(true), error);
    if (!error) socket.non_blocking(true, error);
    const int fd = socket.native_handle();
    if (!error) error = keep_errors(fd, family, true);
    if (!error && interface != 0) {
        // ip(7): the index is in network byte order.
        const int index = static_cast<int>(htonl(static_cast<std::uint32_t>(interface)));
        error = v4 ? set_option(fd, IPPROTO_IP, IP_UNICAST_IF, index)
                   : set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, index);
    }
    if (!error && interface != 0) error = set_multicast_link(fd, v4, interface);
    if (!error) socket.bind(local, error);
    if (error) return error;
    UdpSocket result(std::move(socket), family, interface);
    result.local_ = from_asio(result.socket_.local_endpoint(error));
    if (error) return error;
    tell_flow({Transport::udp, result.local_, std::nullopt});
    return result;
}

ErrorCode UdpSocket::send(ByteView datagram, const Endpoint& to, std::optional<int> ttl) {
    sockaddr_storage address;
    iovec part{const_cast<std::uint8_t*>(datagram.data()), datagram.size()};
    msghdr message{};
    message.msg_name = &address;
    message.msg_namelen = to_sockaddr(to, address, interface_);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ControlBuffer control;
    if (ttl) {
        message.msg_control = control.bytes.data();
        message.msg_controllen = CMSG_SPACE(sizeof(int));
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = family_ == Family::ipv4 ? IPPROTO_IP : IPPROTO_IPV6;
        header->cmsg_type = family_ == Family::ipv4 ? IP_TTL : IPV6_HOPLIMIT;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &*ttl, sizeof(int));
    }
    // An ICMP error that waits makes the call fail once, for a datagram that has nothing to do with
    // it; reading SO_ERROR takes it away and leaves the error queue as it is.
    int pending = 0;
    socklen_t size = sizeof pending;
    ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &pending, &size);
    if (::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        return last_error();
    }
    return {};
}

asio::awaitable<bool> UdpSocket::wait(TimePoint until) {
    if (until <= Clock::now()) co_return false;
    auto readable = socket_.async_wait(udp::socket::wait_read, asio::use_awaitable);
    const bool arrived = co_await in_time(until, std::move(readable));
    co_return arrived;
}

bool UdpSocket::receive(const OnDatagram& on_datagram, const OnError& on_error, unsigned most) {
    bool any = false;
    for (unsigned i = 0; i < most && receive_error(on_error); ++i) any = true;

    // One buffer for all sockets of the thread: 64 KiB each would add up over hundreds of sockets.
    thread_local std::array<std::uint8_t, max_datagram> buffer;
    for (unsigned i = 0; i < most; ++i) {
        sockaddr_storage address;
        socklen_t size = sizeof address;
        const ssize_t received =
            ::recvfrom(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                       reinterpret_cast<sockaddr*>(&address), &size);
        if (received < 0) {
            // A pending ICMP error comes up here once; its details are in the error queue.
            if (errno == EAGAIN || errno == EWOULDBLOCK) break;
            continue;
        }
        any = true;
        const auto from = from_sockaddr(reinterpret_cast<const sockaddr*>(&address));
        if (!from) continue;
        on_datagram(*from, ByteView(buffer.data(), static_cast<std::size_t>(received)));
    }
    return any;
}

bool UdpSocket::receive_error(const OnError& on_error) {
    std::optional<SendError> error;
    const bool any = take_error(socket_.native_handle(), error);
    if (error) on_error(*error);
    return any;
}

ErrorCode UdpSocket::set_fragmentation(Fragmentation mode) {
    const int fd = socket_.native_handle();
    const bool never = mode == Fragmentation::never;
    if (family_ == Family::ipv4) {
        // ip(7): PROBE sets the DF flag and ignores what is known of the path's MTU.
        return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER,
                          never ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
    }
    ErrorCode error = set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                                 never ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_WANT);
    // Only the sender fragments (RFC 8200 section 5), and 1280 bytes pass every link; 0 takes the
    // limit away again.
    if (!error) error = set_option(fd, IPPROTO_IPV6, IPV6_MTU, never ? 0 : 1280);
    return error;
}

}  // namespace p2pdiag::net
