// Which ports of a range are taken.
#include <algorithm>
#include <bitset>
#include <map>
#include <tuple>

#include "limits_state.hpp"

namespace p2pdiag::network_plugin {

namespace {

using Ports = std::bitset<65536>;

bool takes_port_of(const net::Socket& socket, Family family) {
    const IpAddress local = socket.local.address.unmapped();
    if (local.family() == family) return true;
    // :: takes the port of IPv4 as well, unless it is for IPv6 alone.
    return !local.is_v4() && local == IpAddress::v6({}) && !socket.v6only.value_or(false);
}

// The remote endpoint that most sockets with counted ports lead to.
std::pair<std::optional<Endpoint>, std::uint64_t> busiest(const net::SocketTable& table,
                                                          const Ports& counted) {
    std::map<Endpoint, std::uint64_t> towards;
    for (const net::Socket& socket : table.sockets) {
        const bool ours =
            socket.transport == Transport::tcp && socket.remote && counted[socket.local.port];
        if (ours) ++towards[*socket.remote];
    }
    const auto most =
        std::max_element(towards.begin(), towards.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == towards.end()) return {std::nullopt, 0};
    return {most->first, most->second};
}

}  // namespace

std::optional<PortAmount> count_ports(const net::SocketTable& table, Transport transport,
                                      const PortRange& range,
                                      const std::vector<PortRange>& reserved) {
    if (!table.complete) return std::nullopt;
    Ports counted;
    for (unsigned port = range.first; port <= range.last; ++port) counted.set(port);
    for (const PortRange& kept : reserved) {
        for (unsigned port = kept.first; port <= kept.last; ++port) counted.reset(port);
    }
    PortAmount amount;
    amount.ports.limit = counted.count();
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        Ports used;
        for (const net::Socket& socket : table.sockets) {
            if (socket.transport != transport || !takes_port_of(socket, family)) continue;
            used[socket.local.port] = counted[socket.local.port];
        }
        amount.ports.used = std::max<std::uint64_t>(amount.ports.used, used.count());
    }
    if (transport == Transport::tcp) {
        std::tie(amount.busiest, amount.to_busiest) = busiest(table, counted);
    }
    return amount;
}

}  // namespace p2pdiag::network_plugin
