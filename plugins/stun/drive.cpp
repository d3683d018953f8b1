#include "drive.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "drive_tcp.hpp"
#include "net/packet_tap.hpp"
#include "net/task_group.hpp"
#include "net/udp_socket.hpp"

namespace p2pdiag::nat {

namespace {

namespace asio = boost::asio;

constexpr std::size_t most_sockets = 96;
// Far enough away; the socket is closed long before.
constexpr std::chrono::hours forever{24};

struct Driven {
    std::shared_ptr<Machine> machine;
    std::vector<std::shared_ptr<net::UdpSocket>> sockets;  // null where opening failed
};

Trouble to_trouble(const net::SendError& error) {
    Trouble trouble;
    trouble.error = error.error.value();
    trouble.icmp = error.reporter.has_value();
    trouble.icmp_type = error.icmp_type;
    trouble.icmp_code = error.icmp_code;
    trouble.offender = error.reporter;
    return trouble;
}

// Tasks share it, since they may end after drive() does.
class Drive : public std::enable_shared_from_this<Drive> {
public:
    Drive(const asio::any_io_executor& executor, std::vector<std::shared_ptr<Machine>> machines)
        : executor_(executor), tasks_(executor), wakeup_(executor) {
        for (auto& machine : machines) driven_.push_back({std::move(machine), {}});
    }

    bool done() const {
        return std::all_of(driven_.begin(), driven_.end(),
                           [](const Driven& driven) { return driven.machine->done(); });
    }

    // Without the privilege there is no tap, and the machines know.
    void open_tap() {
        const auto wants = [](const Driven& driven) { return driven.machine->wants_tap(); };
        if (!std::any_of(driven_.begin(), driven_.end(), wants)) return;
        auto opened = net::PacketTap::open_stun(executor_);
        for (const Driven& driven : driven_) driven.machine->on_tap(opened.has_value());
        if (!opened) return;
        const auto tap = std::make_shared<net::PacketTap>(std::move(*opened));
        tasks_.spawn(listen_at_interfaces(shared_from_this(), tap));
    }

    // Until something is due or has happened.
    asio::awaitable<void> pause() {
        TimePoint next = Clock::now() + forever;
        for (const Driven& driven : driven_) {
            if (!driven.machine->done()) next = std::min(next, driven.machine->next_wakeup());
        }
        wakeup_.expires_at(next);
        const auto token = asio::as_tuple(asio::use_awaitable);
        co_await wakeup_.async_wait(token);
    }

    void on_time() {
        const TimePoint now = Clock::now();
        for (Driven& driven : driven_) {
            if (!driven.machine->done() && driven.machine->next_wakeup() <= now) {
                driven.machine->on_time(now);
            }
            carry_out(driven);
        }
    }

    void stop() {
        stopped_ = true;
        tasks_.cancel();
    }

private:
    void carry_out(Driven& driven) {
        // Sending may itself report trouble, which may ask for more.
        for (auto actions = driven.machine->take_actions(); !actions.empty() && !stopped_;
             actions = driven.machine->take_actions()) {
            for (const Action& action : actions) {
                if (const auto* open = std::get_if<OpenSocket>(&action)) {
                    this->open(driven, *open);
                } else if (const auto* send = std::get_if<SendDatagram>(&action)) {
                    this->send(driven, *send);
                } else {
                    const auto& tcp = std::get<OpenTcp>(action);
                    tasks_.spawn(ask_by_tcp(shared_from_this(), driven.machine, tcp));
                }
            }
        }
    }

    void open(Driven& driven, const OpenSocket& action) {
        if (driven.sockets.size() <= action.socket) driven.sockets.resize(action.socket + 1);
        if (action.socket >= most_sockets) return driven.machine->on_open_failed(action.socket);
        auto opened = open_port(driven.machine->family(), action);
        if (!opened) return driven.machine->on_open_failed(action.socket);
        const auto socket = std::make_shared<net::UdpSocket>(std::move(*opened));
        driven.sockets[action.socket] = socket;
        driven.machine->on_opened(action.socket, socket->local().port);
        const auto index = static_cast<std::size_t>(&driven - driven_.data());
        tasks_.spawn(listen(shared_from_this(), index, action.socket, socket));
    }

    // The kernel draws; every second draw is of the wrong kind. A host with very few ports left may
    // have none.
    Result<net::UdpSocket> open_port(Family family, const OpenSocket& action) {
        constexpr int most_draws = 24;
        auto opened = net::UdpSocket::open(executor_, family, action.local_port);
        for (int draws = 1; action.local_port == 0 && opened && draws < most_draws; ++draws) {
            const bool odd = opened->local().port % 2 == 1;
            if (odd == (action.kind == PortKind::odd)) break;
            opened = net::UdpSocket::open(executor_, family);
        }
        return opened;
    }

    void send(Driven& driven, const SendDatagram& action) {
        if (action.socket >= driven.sockets.size() || !driven.sockets[action.socket]) return;
        std::optional<int> ttl;
        if (action.ttl > 0) ttl = action.ttl;
        const ErrorCode error =
            driven.sockets[action.socket]->send(action.datagram, action.to, ttl);
        // A full buffer is one more way to lose a packet.
        if (!error || error == asio::error::would_block) return;
        Trouble trouble;
        trouble.error = error.value();
        driven.machine->on_trouble(action.socket, action.to, trouble, Clock::now());
    }

    static asio::awaitable<void> listen(std::shared_ptr<Drive> self, std::size_t index,
                                        SocketId socket_id,
                                        std::shared_ptr<net::UdpSocket> socket) {
        while (!self->stopped_) {
            co_await socket->wait(Clock::now() + forever);
            if (self->stopped_) break;
            self->receive(index, socket_id, *socket);
        }
    }

    void receive(std::size_t index, SocketId socket_id, net::UdpSocket& socket) {
        Driven& driven = driven_[index];
        const auto on_datagram = [&](const Endpoint& from, ByteView datagram) {
            driven.machine->on_datagram(socket_id, from, datagram, Clock::now());
        };
        const auto on_error = [&](const net::SendError& error) {
            driven.machine->on_trouble(socket_id, error.destination, to_trouble(error),
                                       Clock::now());
        };
        socket.receive(on_datagram, on_error);
        carry_out(driven);
        wakeup_.cancel();
    }

    static asio::awaitable<void> listen_at_interfaces(std::shared_ptr<Drive> self,
                                                      std::shared_ptr<net::PacketTap> tap) {
        const auto on_datagram = [self](const net::TappedDatagram& datagram) {
            for (const Driven& driven : self->driven_) {
                driven.machine->on_tapped(datagram.from, datagram.to, datagram.payload);
            }
        };
        while (!self->stopped_) {
            co_await tap->wait(Clock::now() + forever);
            if (self->stopped_) break;
            tap->receive(on_datagram);
        }
    }

    // One connection; see OpenTcp.
    static asio::awaitable<void> ask_by_tcp(std::shared_ptr<Drive> self,
                                            std::shared_ptr<Machine> machine, OpenTcp action) {
        TcpHandlers handlers;
        handlers.wanted = [self, machine] { return !self->stopped_ && machine->wants_tcp(); };
        handlers.on_alive = [self, machine, action] {
            if (self->stopped_) return;
            machine->on_tcp_alive(action.server, Clock::now());
            self->wakeup_.cancel();
        };
        handlers.on_answer = [self, machine, action](TimePoint sent) {
            machine->on_tcp_answer(action.server, sent, Clock::now());
            self->wakeup_.cancel();
        };
        co_await ask_over_tcp(action.to, handlers);
        if (self->stopped_) co_return;
        machine->on_tcp_failed(action.server, Clock::now());
        self->wakeup_.cancel();
    }

    asio::any_io_executor executor_;
    std::vector<Driven> driven_;
    net::TaskGroup tasks_;
    asio::steady_timer wakeup_;
    bool stopped_ = false;
};

}  // namespace

asio::awaitable<void> drive(std::vector<std::shared_ptr<Machine>> machines) {
    const auto executor = co_await asio::this_coro::executor;
    const auto self = std::make_shared<Drive>(executor, std::move(machines));
    self->open_tap();
    self->on_time();
    bool cancelled = false;
    while (!self->done() && !cancelled) {
        co_await self->pause();
        const auto state = co_await asio::this_coro::cancellation_state;
        cancelled = state.cancelled() != asio::cancellation_type::none;
        if (!cancelled) self->on_time();
    }
    self->stop();
    if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace p2pdiag::nat
