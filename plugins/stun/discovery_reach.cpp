// What to probe while nothing answers.
#include <set>

#include "discovery.hpp"
#include "discovery_pace.hpp"
#include "reach.hpp"

namespace p2pdiag::nat {

namespace {

// UDP ports that a STUN or TURN server may well serve besides its own: the standard one and its RFC
// 5780 neighbour, Google's, and the one that most firewalls let pass since HTTP/3 uses it. Not 53:
// networks that block UDP let names through, and a resolver on the way may answer in the server's
// place, so neither an answer nor silence would tell anything.
constexpr std::uint16_t other_ports[] = {443, 3478, 3479, 19302};
// Most answers that two lossy directions take are made good for, and no more noise than that.
constexpr unsigned other_port_sends = 8;

}  // namespace

// Nothing has answered yet: other sockets, more often, so that silence soon means something.
void Discovery::reach_further() {
    if (reached_further_ || seen_.now - seen_.started < pace) return;
    reached_further_ = true;
    // Two connections, since a lost handshake costs a second.
    constexpr unsigned connections = 2;
    for (std::size_t server = 0; server < seen_.servers.size(); ++server) {
        seen_.servers[server].tcp = Tcp::connecting;
        seen_.servers[server].tcp_open = connections;
        for (unsigned i = 0; i < connections; ++i) {
            actions_.emplace_back(OpenTcp{server, seen_.servers[server].address});
        }
    }
    try_other_ports(ask_from_another_socket());
    try_classic(ask_from_another_socket());
}

// What else is tried goes out from the same socket: where that passes and this does not, it is not
// a flow that gets lost by its local port.
SocketId Discovery::ask_from_another_socket() {
    const SocketId socket = add_socket();
    Schedule schedule{seen_.now, half_pace, steady_sends};
    schedule.punctual = true;
    for (std::size_t server = 0; server < seen_.servers.size(); ++server) {
        add_probe(Role::reach, socket, server, seen_.servers[server].address, schedule);
    }
    return socket;
}

// Some networks know STUN by its magic cookie, and drop it. A request of RFC 3489 has none. One
// that is answered is a control of those that are not, so it goes on.
void Discovery::try_classic(SocketId socket) {
    constexpr unsigned sends = 30;
    const Schedule schedule{seen_.now, half_pace, sends, false};
    for (std::size_t server = 0; server < seen_.servers.size(); ++server) {
        add_probe(Role::classic, socket, server, seen_.servers[server].address, schedule);
    }
}

// Is all UDP blocked, or only the port that the servers have? Asked right after the servers' own
// ports each time, and at no other, so as not to take from those what a router lets out next.
void Discovery::try_other_ports(SocketId socket) {
    std::set<Endpoint> asked;
    for (const Server& server : seen_.servers) asked.insert(server.address);
    Schedule schedule{seen_.now, half_pace, other_port_sends};
    schedule.punctual = true;
    for (std::size_t server = 0; server < seen_.servers.size(); ++server) {
        for (const std::uint16_t port : other_ports) {
            const Endpoint to{seen_.servers[server].address.address, port};
            if (asked.insert(to).second) add_probe(Role::other_port, socket, server, to, schedule);
        }
    }
}

// The servers stay silent at their own ports and answer at others: so those are measured with.
void Discovery::use_other_ports() {
    if (other_ports_used_ || judge_udp(seen_) != UdpPath::other_ports) return;
    other_ports_used_ = true;
    const std::size_t count = seen_.probes.size();
    std::set<std::size_t> replaced;
    for (std::size_t i = 0; i < count; ++i) {
        const Probe& probe = seen_.probes[i];
        const bool serves = probe.role == Role::other_port && probe.answered;
        if (!serves || !replaced.insert(probe.server).second) continue;
        const Endpoint address = probe.to;
        Server stand_in;
        stand_in.address = address;
        stand_in.instead_of = probe.server;
        stand_in.name = seen_.servers[probe.server].name;
        stand_in.local = seen_.servers[probe.server].local;
        stand_in.egress = seen_.servers[probe.server].egress;
        seen_.servers.push_back(stand_in);
        const std::size_t server = seen_.servers.size() - 1;
        const Schedule schedule{seen_.now, pace, most_sends};
        add_probe(Role::mapping, mapping_socket_, server, address, schedule);
        if (given_socket_) add_probe(Role::given_port, *given_socket_, server, address, schedule);
    }
}

}  // namespace p2pdiag::nat
