#include "net/routes.hpp"

#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/endpoint.hpp"
#include "net/netlink.hpp"

namespace p2pdiag::net {

namespace {

std::optional<DefaultRoute> as_default_route(ByteView body) {
    const auto header = netlink_header<rtmsg>(body);
    if (!header || header->rtm_dst_len != 0 || header->rtm_type != RTN_UNICAST) return std::nullopt;
    if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6) return std::nullopt;
    const auto attribute = [&](std::uint16_t type) {
        return netlink_attribute(body, sizeof(rtmsg), type);
    };
    if (netlink_u32(attribute(RTA_TABLE)).value_or(header->rtm_table) != RT_TABLE_MAIN) {
        return std::nullopt;
    }
    DefaultRoute route;
    route.family = header->rtm_family == AF_INET ? Family::ipv4 : Family::ipv6;
    route.gateway = netlink_address(attribute(RTA_GATEWAY));
    route.interface = static_cast<int>(netlink_u32(attribute(RTA_OIF)).value_or(0));
    route.metric = netlink_u32(attribute(RTA_PRIORITY)).value_or(0);
    return route;
}

ErrorCode network_unreachable() { return {ENETUNREACH, boost::system::system_category()}; }

Bytes route_question(const IpAddress& destination) {
    const std::size_t size = destination.is_v4() ? 4 : 16;
    rtmsg header{};
    header.rtm_family = destination.is_v4() ? AF_INET : AF_INET6;
    header.rtm_dst_len = static_cast<unsigned char>(size * 8);
    rtattr attribute{};
    attribute.rta_type = RTA_DST;
    attribute.rta_len = static_cast<unsigned short>(sizeof attribute + size);

    Bytes body(sizeof header + sizeof attribute + size);
    std::memcpy(body.data(), &header, sizeof header);
    std::memcpy(body.data() + sizeof header, &attribute, sizeof attribute);
    std::copy_n(destination.bytes().begin(), size, body.begin() + sizeof header + sizeof attribute);
    return body;
}

}  // namespace

Result<std::vector<DefaultRoute>> default_routes() {
    std::vector<DefaultRoute> routes;
    const std::array<std::uint8_t, sizeof(rtmsg)> body{};  // AF_UNSPEC: both families
    const auto collect = [&](std::uint16_t type, ByteView message) {
        if (type != RTM_NEWROUTE) return;
        if (const auto route = as_default_route(message)) routes.push_back(*route);
    };
    if (const ErrorCode error = netlink_request(RTM_GETROUTE, NLM_F_DUMP, body, collect)) {
        return error;
    }
    return routes;
}

bool is_no_route(const ErrorCode& error) {
    namespace errc = boost::system::errc;
    // What route types unreachable, prohibit and blackhole say, and no route at all …
    if (error == errc::network_unreachable || error == errc::host_unreachable ||
        error == errc::permission_denied || error == errc::invalid_argument) {
        return true;
    }
    // … and what a socket says of a family without an address, or one that the kernel lacks.
    return error == errc::address_not_available || error == errc::address_family_not_supported;
}

Result<Route> route_to(const IpAddress& destination) {
    std::optional<Route> found;
    const auto read = [&](std::uint16_t type, ByteView message) {
        const auto header = netlink_header<rtmsg>(message);
        if (type != RTM_NEWROUTE || !header) return;
        if (header->rtm_type != RTN_UNICAST && header->rtm_type != RTN_LOCAL) return;
        const auto attribute = [&](std::uint16_t name) {
            return netlink_attribute(message, sizeof(rtmsg), name);
        };
        Route route;
        route.interface = static_cast<int>(netlink_u32(attribute(RTA_OIF)).value_or(0));
        route.source = netlink_address(attribute(RTA_PREFSRC));
        route.gateway = netlink_address(attribute(RTA_GATEWAY));
        found = route;
    };
    const Bytes question = route_question(destination);
    if (const ErrorCode error = netlink_request(RTM_GETROUTE, 0, question, read)) return error;
    if (!found) return network_unreachable();
    return *found;
}

Result<std::optional<Route>> route_to_internet(Family family) {
    // RFC 7526 took 192.88.99.0/24 out of use and RFC 9637 section 5 gives 3fff::/20 to
    // documentation: no host is there, no local network uses them, so only a default route leads
    // there.
    const IpAddress nowhere =
        family == Family::ipv4 ? IpAddress::v4(0xC0586301) : *IpAddress::parse("3fff:fff:ffff::1");
    const auto route = route_to(nowhere);
    if (route) return std::optional(*route);
    if (is_no_route(route.error())) return std::optional<Route>();
    // A kernel without IPv6 calls the question unsupported, as a sandbox may; a socket tells which.
    if (route.error() == boost::system::errc::operation_not_supported) {
        const auto source = source_address({nowhere, 9});
        if (!source && is_no_route(source.error())) return std::optional<Route>();
    }
    return route.error();
}

Result<IpAddress> source_address(const Endpoint& destination) {
    const int domain = destination.address.is_v4() ? AF_INET : AF_INET6;
    const int fd = ::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return ErrorCode(errno, boost::system::system_category());
    sockaddr_storage storage;
    const socklen_t size = to_sockaddr(destination, storage);
    ErrorCode error;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
        error.assign(errno, boost::system::system_category());
    }
    socklen_t local_size = sizeof storage;
    if (!error && ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &local_size) != 0) {
        error.assign(errno, boost::system::system_category());
    }
    ::close(fd);
    if (error) return error;
    const auto local = from_sockaddr(reinterpret_cast<const sockaddr*>(&storage));
    if (!local) return network_unreachable();
    return local->address;
}

}  // namespace p2pdiag::net
