#include "net/sockets.hpp"

#include <algorithm>
#include <tuple>

namespace p2pdiag::net {

namespace {

// LOOPBACK_IFINDEX of the kernel: in every network namespace.
constexpr int loopback_index = 1;

bool is_any(const IpAddress& address) {
    return address == (address.is_v4() ? IpAddress() : IpAddress::v6({}));
}

bool is_exact(const Socket& socket, const IpAddress& address) {
    const IpAddress local = socket.local.address.unmapped();
    return !is_any(local) && local == address;
}

// Does the socket take packets of this family to an address that it is not bound to?
Receives serves_any(const Socket& socket, Family family) {
    const IpAddress local = socket.local.address.unmapped();
    if (!is_any(local)) return Receives::no;
    if (local.family() == family) return Receives::yes;
    if (local.is_v4()) return Receives::no;
    if (!socket.v6only) return Receives::perhaps;
    return *socket.v6only ? Receives::no : Receives::yes;
}

Receives at_link(const Socket& socket, const Arrival& arrival) {
    if (!socket.interface) return Receives::perhaps;
    // net.ipv4.udp_l3mdev_accept and its like decide whether a socket of no VRF takes part.
    if (*socket.interface == 0) return arrival.vrf == 0 ? Receives::yes : Receives::perhaps;
    if (arrival.interface == 0) return Receives::perhaps;
    const bool matches = *socket.interface == arrival.interface || *socket.interface == arrival.vrf;
    return matches ? Receives::yes : Receives::no;
}

// The greater, the more the kernel prefers it.
std::tuple<bool, bool, bool> rank(const Socket& socket, const IpAddress& address) {
    return {is_exact(socket, address), socket.interface.value_or(0) != 0,
            socket.family == address.family()};
}

Exposure exposure_of(const Socket& socket) {
    const int interface = socket.interface.value_or(0);
    const IpAddress local = socket.local.address.unmapped();
    const bool inside = local.scope() == AddressScope::loopback;
    if (inside || interface == loopback_index) return Exposure::loopback;
    if (!is_any(local) || interface != 0) return Exposure::addresses;
    return Exposure::everywhere;
}

}  // namespace

std::vector<const Socket*> sockets_at(const SocketTable& table, Transport transport,
                                      std::uint16_t port) {
    std::vector<const Socket*> found;
    for (const Socket& socket : table.sockets) {
        if (socket.transport == transport && socket.local.port == port) found.push_back(&socket);
    }
    return found;
}

Receives serves(const Socket& socket, Family family) {
    const IpAddress local = socket.local.address.unmapped();
    if (is_any(local)) return serves_any(socket, family);
    return local.family() == family ? Receives::yes : Receives::no;
}

Receives receives(const Socket& socket, const Arrival& arrival) {
    if (socket.transport != arrival.transport || socket.local.port != arrival.to.port) {
        return Receives::no;
    }
    if (!socket.is_open()) return Receives::no;
    const IpAddress address = arrival.to.address.unmapped();
    const Receives by_address =
        is_exact(socket, address) ? Receives::yes : serves_any(socket, address.family());
    return std::min(by_address, at_link(socket, arrival));
}

Reception reception(const SocketTable& table, const Arrival& arrival) {
    Reception result;
    const IpAddress address = arrival.to.address.unmapped();
    std::optional<std::tuple<bool, bool, bool>> best;
    for (const Socket& socket : table.sockets) {
        const Receives takes = receives(socket, arrival);
        if (takes == Receives::no) continue;
        result.receives = std::max(result.receives, takes);
        result.sockets.push_back(&socket);
        if (takes == Receives::yes) best = std::max(best, std::optional(rank(socket, address)));
    }
    std::erase_if(result.sockets,
                  [&](const Socket* socket) { return best && rank(*socket, address) < *best; });
    if (!table.complete && result.receives == Receives::no) result.receives = Receives::perhaps;
    return result;
}

std::optional<Exposure> exposure(const SocketTable& table, Transport transport, Family family,
                                 std::uint16_t port) {
    Exposure certain = Exposure::none;
    Exposure possible = Exposure::none;
    for (const Socket* socket : sockets_at(table, transport, port)) {
        if (!socket->is_open()) continue;
        const Receives takes = serves(*socket, family);
        const Exposure reach = exposure_of(*socket);
        if (takes != Receives::no) possible = std::max(possible, reach);
        // A wildcard whose link is not told may be bound to one.
        const bool sure =
            takes == Receives::yes && (socket->interface || reach < Exposure::everywhere);
        if (sure) certain = std::max(certain, reach);
    }
    if (certain == Exposure::everywhere) return certain;
    if (certain != possible || !table.complete) return std::nullopt;
    return certain;
}

}  // namespace p2pdiag::net
