#include "net/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace p2pdiag::net {

namespace asio = boost::asio;

namespace {

asio::ip::address to_asio(const IpAddress& address, int interface) {
    if (address.is_v4()) return asio::ip::address_v4(address.v4_bits());
    asio::ip::address_v6::bytes_type bytes;
    std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
    return asio::ip::address_v6(bytes, static_cast<unsigned long>(interface));
}

IpAddress address_from(const asio::ip::address& address) {
    if (address.is_v4()) return IpAddress::v4(address.to_v4().to_uint());
    std::array<std::uint8_t, 16> bytes{};
    const auto taken = address.to_v6().to_bytes();
    std::copy(taken.begin(), taken.end(), bytes.begin());
    return IpAddress::v6(bytes).unmapped();
}

}  // namespace

asio::ip::udp::endpoint to_udp(const Endpoint& endpoint, int interface) {
    return {to_asio(endpoint.address, interface), endpoint.port};
}

asio::ip::tcp::endpoint to_tcp(const Endpoint& endpoint, int interface) {
    return {to_asio(endpoint.address, interface), endpoint.port};
}

Endpoint from_asio(const asio::ip::udp::endpoint& endpoint) {
    return {address_from(endpoint.address()), endpoint.port()};
}

Endpoint from_asio(const asio::ip::tcp::endpoint& endpoint) {
    return {address_from(endpoint.address()), endpoint.port()};
}

socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& storage, int interface) {
    storage = {};
    if (endpoint.address.is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        v4.sin_addr.s_addr = htonl(endpoint.address.v4_bits());
        std::memcpy(&storage, &v4, sizeof v4);
        return sizeof v4;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    v6.sin6_scope_id = static_cast<std::uint32_t>(interface);
    std::memcpy(&v6.sin6_addr, endpoint.address.bytes().data(), sizeof v6.sin6_addr);
    std::memcpy(&storage, &v6, sizeof v6);
    return sizeof v6;
}

std::optional<Endpoint> from_sockaddr(const sockaddr* address) {
    if (address == nullptr) return std::nullopt;
    Endpoint endpoint;
    if (address->sa_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, address, sizeof v4);
        endpoint.address = IpAddress::v4(ntohl(v4.sin_addr.s_addr));
        endpoint.port = ntohs(v4.sin_port);
    } else if (address->sa_family == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, address, sizeof v6);
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        endpoint.address = IpAddress::v6(bytes).unmapped();
        endpoint.port = ntohs(v6.sin6_port);
    } else {
        return std::nullopt;
    }
    return endpoint;
}

}  // namespace p2pdiag::net
