// The UDP and TCP sockets of this machine as plain values, and the questions that are asked of
// them. Pure; socket_table.hpp reads them from the kernel, socket_holders.hpp finds the programs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.hpp"
#include "base/transport.hpp"

namespace p2pdiag::net {

enum class SocketState {
    listening,  // TCP
    bound,      // has a port; of UDP: takes packets from anybody, of TCP: does not listen (yet)
    connected,  // with one remote endpoint; of TCP also half way to it and half way back
    closing     // TCP, TIME_WAIT: the port is kept, but by no program any more
};

struct Socket {
    Transport transport = Transport::udp;
    Family family = Family::ipv4;  // of the socket: one of IPv6 may serve IPv4 as well
    SocketState state = SocketState::bound;
    Endpoint local;  // address 0.0.0.0 or :: for any; ::ffff:a.b.c.d stays what it is
    std::optional<Endpoint> remote;
    // Index of the link that it is bound to (SO_BINDTODEVICE, or the scope of a link-local
    // address), 0 for none; nothing where the kernel did not tell.
    std::optional<int> interface;
    // IPV6_V6ONLY, of an IPv6 socket; nothing where the kernel did not tell.
    std::optional<bool> v6only;
    std::uint64_t inode = 0;  // names the socket in /proc/PID/fd; 0 where no program holds it
    std::uint32_t uid = 0;    // of who made it

    // The state in which a first packet from a stranger is taken.
    bool is_open() const {
        return state == SocketState::listening ||
               (transport == Transport::udp && state == SocketState::bound);
    }
};

struct SocketTable {
    std::vector<Socket> sockets;
    bool complete = true;  // false: there are more than were read
};

// Every socket that has this local port, connections and what is left of them included.
std::vector<const Socket*> sockets_at(const SocketTable& table, Transport transport,
                                      std::uint16_t port);

// A first packet (UDP, or a SYN) from somebody whom no socket is connected to, as it arrives here.
struct Arrival {
    Transport transport = Transport::udp;
    Endpoint to;        // after every rewriting
    int interface = 0;  // index of the link that it came in by; 0 = not known
    int vrf = 0;        // index of the VRF that the link is part of; 0 = none
};

enum class Receives { no, perhaps, yes };

// Does the socket take packets of the family, by some address? One of IPv6 that is bound to
// ::ffff:a.b.c.d takes those of IPv4 alone.
Receives serves(const Socket& socket, Family family);

// Would this socket take it, were it the only one?
Receives receives(const Socket& socket, const Arrival& arrival);

struct Reception {
    Receives receives = Receives::no;
    // Those that the kernel would choose from, as far as the table tells: more than one where
    // several share the port (SO_REUSEPORT), or where it is not known which of them fits better.
    std::vector<const Socket*> sockets;
};

// The kernel prefers a socket bound to the very address to one bound to any, then one bound to the
// link, then one of the packet's own family. `no` needs a complete table.
Reception reception(const SocketTable& table, const Arrival& arrival);

// How far the open sockets of a port can be reached.
enum class Exposure {
    none,       // no socket is open
    loopback,   // from this machine only
    addresses,  // by single addresses or links
    everywhere  // by every address of the family
};

// Nothing where the table does not tell.
std::optional<Exposure> exposure(const SocketTable& table, Transport transport, Family family,
                                 std::uint16_t port);

}  // namespace p2pdiag::net
