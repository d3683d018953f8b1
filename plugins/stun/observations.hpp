// What NAT discovery has seen, and nothing that it concludes from it. Written by Discovery, read by
// the pure functions in mapping, filtering, ports and classify.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "net/interfaces.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::nat {

using Duration = Clock::duration;

// Index into Observations::sockets.
using SocketId = std::size_t;

// What a probe is for. A probe is one kind of request from one socket to one destination.
enum class Role : std::uint8_t {
    mapping,          // all on one socket, since a mapping belongs to a socket
    reach,            // more sockets, used while nothing at all has answered
    other_port,       // while nothing has answered: UDP ports of the servers beside their own
    classic,          // … and their own without the cookie: is it the content that is dropped?
    unlisted_port,    // a port that nobody serves: is it refused, so that it was reached?
    baseline,         // plain requests at a steady pace: what the path loses meanwhile
    filter_address,   // from a never-used socket: answer from your other address and port
    filter_port,      // from a never-used socket: answer from your other port
    filter_path,      // the same two sockets ask plainly: do their requests get out at all?
    open_address,     // control: this socket first contacts the other address itself …
    control_address,  // … and then asks what filter_address asks
    open_port,        // the same for filter_port
    control_port,
    own_open,  // control: at last the socket of a silent test contacts the other address itself …
    own_control,   // … and asks again: a filter is open now, a flow that is lost as such is not
    given_port,    // mapping probes from the local port that the user named
    port_step,     // fresh sockets in quick succession: how the NAT chooses ports
    hairpin_open,  // two sockets learn their public endpoints …
    hairpin        // … and contact each other there
};

struct Send {
    stun::TransactionId transaction{};
    TimePoint at;
    std::uint32_t order = 0;  // counts the sends of the whole discovery
    std::optional<Duration> rtt;
    bool tapped = false;    // its answer came in at an interface, whether or not at the socket
    bool repeated = false;  // a moment after another one, so that one outage takes both
};

struct Probe {
    Role role = Role::mapping;
    SocketId socket = 0;
    std::size_t server = 0;  // index into Observations::servers
    Endpoint to;
    stun::ChangeRequest change;
    Endpoint expected;  // the only source from which an answer counts
    std::vector<Send> sends;
    std::vector<Endpoint> mapped;  // distinct, in the order seen; usually one
    bool plain_address = false;    // an answer had no XOR-MAPPED-ADDRESS
    bool answered = false;
    bool exhausted = false;       // nothing more will be sent
    bool came_back = false;       // anything at all, from where it was sent to or in answer to it
    bool forbidden = false;       // this machine itself did not let it out
    bool refused = false;         // its destination said so by ICMP …
    bool prohibited = false;      // … or a router on the way
    bool change_ignored = false;  // the right transaction, but not from where it was asked for
    int error_code = 0;           // of a STUN error response
};

struct Socket {
    std::uint16_t asked_port = 0;  // 0 = any
    std::uint16_t local_port = 0;  // 0 = not known yet
    bool failed = false;           // could not be opened
};

// What a socket's error queue or sendto said.
struct Trouble {
    int error = 0;  // errno
    bool icmp = false;
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    std::optional<IpAddress> offender;  // who sent the ICMP message
};

// By what packets leave this machine.
struct Egress {
    std::string interface;
    net::LinkKind kind = net::LinkKind::other;
    friend bool operator==(const Egress&, const Egress&) = default;
};

// The control connections over TCP to a server: does anything but UDP pass?
enum class Tcp : std::uint8_t { unused, connecting, answered, failed };

struct Server {
    Endpoint address;
    std::optional<IpAddress> local;  // source address towards it; nothing = the system names none
    std::size_t name = 0;            // which of the configured names the address is of
    std::optional<Egress> egress;    // nothing = the system does not tell
    std::optional<std::size_t> instead_of;  // the silent server whose other port this is
    Tcp tcp = Tcp::unused;
    bool tcp_alive = false;  // it accepted a connection or refused one, so the host is there
    unsigned tcp_open = 0;   // connections not given up yet
    Probe tcp_requests;  // Binding requests over it; one answered only after a retransmission has
                         // no rtt
    std::optional<Endpoint> other;  // a usable OTHER-ADDRESS
    bool other_useless = false;     // it named one that no test can use
};

struct Rewritten {
    Endpoint server;
    Endpoint mapped;
    Endpoint xor_mapped;
};

struct Elsewhere {
    Endpoint asked;
    Endpoint from;  // where the answer came from
};

struct Hop {
    int ttl = 0;
    IpAddress address;
};

struct Observations {
    Family family = Family::ipv4;
    TimePoint started;
    TimePoint now;
    bool finished = false;  // false: cut short from outside
    bool hairpin_asked = false;
    bool tap_open = false;         // answers were looked for at the interfaces as well
    std::uint16_t given_port = 0;  // 0 = none
    std::vector<Server> servers;
    std::vector<Socket> sockets;
    std::vector<Probe> probes;
    std::vector<std::size_t> tested;  // servers whose OTHER-ADDRESS was put to use, in turn
    std::optional<Rewritten> rewritten;
    std::vector<Hop> hops;  // routers that a packet with a small TTL died at
    Duration longest_rtt{};

    // Datagrams that were no answer to anything: bounded work each, then only counted.
    std::uint64_t ignored = 0;
    std::uint64_t malformed = 0;
    std::uint64_t wrong_source = 0;
    std::uint64_t duplicates = 0;
    // The first of each kind that has to do with a server that was asked.
    std::optional<Endpoint> invalid_from;         // what came from there is no valid STUN answer
    std::optional<Elsewhere> answered_elsewhere;  // to be told from silence
    std::optional<Endpoint> translated;  // mapped address of the other family: a NAT64 is between

    std::uint64_t sent = 0;                  // those with a small TTL, too
    std::uint64_t not_permitted = 0;         // sendto said EPERM
    std::uint64_t prohibited = 0;            // a router on the way refused by ICMP …
    std::set<IpAddress> prohibited_towards;  // … what was on its way there
    std::uint64_t refused = 0;               // the server itself refused by ICMP
    std::uint64_t unreachable = 0;           // no route, here or further on

    // How long an answer may take before its request counts as unanswered.
    Duration tail() const;
    bool is_overdue(const Send& send) const { return !send.rtt && now - send.at >= tail(); }
    std::size_t overdue_sends(const Probe& probe) const;
    bool anything_came_back() const;  // over UDP or TCP
    // At a port that was asked for, and to a request that any program sends; what was tried in
    // their stead does not count.
    bool anything_answered() const;
};

}  // namespace p2pdiag::nat
