#include "net/error_queue.hpp"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "net/endpoint.hpp"
#include "net/error.hpp"

namespace p2pdiag::net {

namespace {

// Room for a sock_extended_err with the reporter's address behind it, and for what else the kernel
// may put there.
struct ErrorControl {
    alignas(cmsghdr) std::array<char, 512> bytes{};
};

SendError read(const Endpoint& destination, const sock_extended_err& extended) {
    const ErrorCode error(static_cast<int>(extended.ee_errno), boost::system::system_category());
    SendError problem{destination, error, std::nullopt, 0, 0, 0};
    if (error == boost::system::errc::message_size) problem.mtu = extended.ee_info;
    if (extended.ee_origin == SO_EE_ORIGIN_ICMP || extended.ee_origin == SO_EE_ORIGIN_ICMP6) {
        const auto offender = from_sockaddr(SO_EE_OFFENDER(&extended));
        if (offender) problem.reporter = offender->address;
        problem.icmp_type = extended.ee_type;
        problem.icmp_code = extended.ee_code;
    }
    return problem;
}

}  // namespace

std::optional<icmp::Said> SendError::said() const {
    if (!reporter) return std::nullopt;
    const IpAddress by = reporter->unmapped();
    return icmp::Said{by, icmp::meaning(by.family(), icmp_type, icmp_code)};
}

ErrorCode keep_errors(int socket, Family family, bool on) {
    const int value = on ? 1 : 0;
    const bool v4 = family == Family::ipv4;
    const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
    const int name = v4 ? IP_RECVERR : IPV6_RECVERR;
    if (::setsockopt(socket, level, name, &value, sizeof value) == 0) return {};
    return last_error();
}

bool take_error(int socket, std::optional<SendError>& error) {
    error.reset();
    sockaddr_storage destination;
    ErrorControl control;
    msghdr message{};
    message.msg_name = &destination;
    message.msg_namelen = sizeof destination;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    if (::recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
    const auto to = from_sockaddr(reinterpret_cast<const sockaddr*>(&destination));
    if (!to || message.msg_namelen == 0) return true;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        const bool v4 = header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR;
        const bool v6 = header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR;
        if (!v4 && !v6) continue;
        error = read(*to, *reinterpret_cast<const sock_extended_err*>(CMSG_DATA(header)));
    }
    return true;
}

}  // namespace p2pdiag::net
