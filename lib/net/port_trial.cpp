#include "net/port_trial.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/fd.hpp"
#include "net/endpoint.hpp"

namespace p2pdiag::net {

ErrorCode try_port(Transport transport, Family family, std::uint16_t port) {
    const auto system_error = [] { return ErrorCode(errno, boost::system::system_category()); };
    const int type = transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
    const bool v6 = family == Family::ipv6;
    const Fd fd(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
    if (!fd.open()) return system_error();
    const int on = 1;
    if (v6 && ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
        return system_error();
    }
    sockaddr_storage storage;
    const socklen_t size = to_sockaddr({v6 ? IpAddress::v6({}) : IpAddress(), port}, storage);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
        return system_error();
    }
    return {};
}

}  // namespace p2pdiag::net
