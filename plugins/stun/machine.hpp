// A protocol as a state machine without socket, clock or random number: what arrives is handed in,
// what is to be sent is taken out. drive() runs it over real sockets, tests over simulated ones.
#pragma once

#include <functional>
#include <variant>

#include "observations.hpp"

namespace p2pdiag::nat {

// Which local ports the kernel may pick. Filters are tested from odd ones; whatever may open a
// filter is sent from even ones. So a test never meets what the NAT remembers of an earlier run,
// seconds or minutes ago.
enum class PortKind : std::uint8_t { even, odd };

struct OpenSocket {
    SocketId socket = 0;           // counts up from 0
    std::uint16_t local_port = 0;  // 0 = any that was never used before, of this kind:
    PortKind kind = PortKind::even;
};

struct SendDatagram {
    SocketId socket = 0;
    Endpoint to;
    Bytes datagram;
    int ttl = 0;  // 0 = the usual
};

// Connect by TCP, and for as long as wants_tcp() send a Binding request every 50 ms. Reported by
// on_tcp_alive(), on_tcp_answer() and on_tcp_failed() with the server's number.
struct OpenTcp {
    std::size_t server = 0;
    Endpoint to;
};

using Action = std::variant<OpenSocket, SendDatagram, OpenTcp>;

// Must be unpredictable: it is all that keeps a stranger from answering.
using TransactionSource = std::function<stun::TransactionId()>;

// After each input there may be actions: take them, and carry them out in order.
class Machine {
public:
    Machine() = default;
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    virtual ~Machine() = default;

    virtual Family family() const = 0;
    virtual void on_opened(SocketId socket, std::uint16_t local_port) = 0;
    virtual void on_open_failed(SocketId socket) = 0;
    virtual void on_datagram(SocketId socket, const Endpoint& from, ByteView datagram,
                             TimePoint now) = 0;
    virtual void on_trouble(SocketId socket, const Endpoint& to, const Trouble& trouble,
                            TimePoint now) = 0;
    virtual void on_time(TimePoint now) = 0;

    // Whether STUN messages are also to be looked for at the interfaces, where this machine's own
    // firewall has not dropped them yet. on_tap() says whether that is possible, before anything is
    // sent, and on_tapped() hands them over.
    virtual bool wants_tap() const { return false; }
    virtual void on_tap(bool /*open*/) {}
    virtual void on_tapped(const Endpoint& /*from*/, const Endpoint& /*to*/,
                           ByteView /*datagram*/) {}

    // A request sent over TCP at `sent` was answered now.
    virtual void on_tcp_answer(std::size_t, TimePoint /*sent*/, TimePoint /*now*/) {}
    // The server's host is there: it accepted a connection, or refused one by a reset.
    virtual void on_tcp_alive(std::size_t, TimePoint /*now*/) {}
    // The connection could not be made, broke, or was given up.
    virtual void on_tcp_failed(std::size_t, TimePoint /*now*/) {}
    virtual bool wants_tcp() const { return false; }

    virtual std::vector<Action> take_actions() = 0;
    virtual TimePoint next_wakeup() const = 0;
    virtual bool done() const = 0;
};

}  // namespace p2pdiag::nat
