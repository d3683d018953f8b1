#include "outside_proof.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "net/interfaces.hpp"
#include "net/packet_tap.hpp"
#include "net/stun.hpp"
#include "net/stun_targets.hpp"
#include "net/task_group.hpp"
#include "net/udp_socket.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

using Place = PacketProof::Place;

constexpr std::size_t most_tried = 2;

struct Capable {
    Endpoint server;
    Endpoint other;
    IpAddress mapped;
};

// RFC 5780 section 7.4 wants another address and another port; one that leads nowhere from outside
// belongs to a server that is itself behind a NAT.
std::optional<Capable> capable(const net::BindingResult& binding) {
    const auto mapped = binding.mapped();
    if (binding.outcome != net::Outcome::ok || !mapped || !binding.response->other_address) {
        return std::nullopt;
    }
    const Endpoint& named = *binding.response->other_address;
    const Endpoint other{named.address.unmapped(), named.port};
    const IpAddress& server = binding.server.address;
    const bool reachable = other.address.is_public() || other.address.scope() == server.scope();
    const bool differs = other.address != server && other.port != binding.server.port &&
                         other.address.family() == server.family() && other.port != 0;
    if (!reachable || !differs) return std::nullopt;
    return Capable{binding.server, other, mapped->address.unmapped()};
}

// Tasks share it, since they may end after the proof does.
class Drive {
public:
    Drive(const ProofConfig& config, TimePoint now)
        : machine(config, net::random_transaction_id, now) {}

    PacketProof machine;
    std::shared_ptr<net::UdpSocket> asking;
    std::shared_ptr<net::UdpSocket> control;
    std::shared_ptr<net::UdpSocket> target;
    std::shared_ptr<net::PacketTap> tap;

    // What is lost on the way out is lost like any other packet.
    void send_all() {
        for (const PacketProof::Send& send : machine.take_sends()) {
            (send.from == Place::asking ? asking : control)->send(send.datagram, send.to);
        }
    }
};

asio::awaitable<void> listen(std::shared_ptr<Drive> drive, Place place,
                             std::shared_ptr<net::UdpSocket> socket) {
    const auto on_datagram = [drive, place](const Endpoint& from, ByteView datagram) {
        drive->machine.on_datagram(place, from, datagram, Clock::now());
    };
    const auto on_error = [](const net::SendError&) {};
    while (!drive->machine.done()) {
        const bool arrived = co_await socket->wait(drive->machine.next_wakeup());
        if (arrived) socket->receive(on_datagram, on_error);
        drive->machine.on_time(Clock::now());
        drive->send_all();
    }
}

asio::awaitable<void> listen_at_interface(std::shared_ptr<Drive> drive) {
    const auto on_datagram = [drive](const net::TappedDatagram& datagram) {
        // A forward to an address that this machine had earlier: nobody here is meant.
        if (!net::is_own_address(datagram.to.address)) return;
        drive->machine.on_datagram(Place::tap, datagram.from, datagram.payload, Clock::now());
    };
    while (!drive->machine.done()) {
        const bool arrived = co_await drive->tap->wait(drive->machine.next_wakeup());
        if (arrived) drive->tap->receive(on_datagram);
        drive->machine.on_time(Clock::now());
        drive->send_all();
    }
}

// Ends with the first of its tasks, which is when the machine is done.
asio::awaitable<void> run(std::shared_ptr<Drive> drive) {
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    drive->send_all();
    tasks.spawn(listen(drive, Place::asking, drive->asking));
    tasks.spawn(listen(drive, Place::control, drive->control));
    if (drive->target) tasks.spawn(listen(drive, Place::target, drive->target));
    if (drive->tap) tasks.spawn(listen_at_interface(drive));
    while (!drive->machine.done()) co_await tasks.wait_for_change(TimePoint::max());
}

struct Binding {
    std::optional<net::BindingResult> result;
};

asio::awaitable<void> bind_one(std::shared_ptr<Binding> binding, Endpoint server,
                               std::shared_ptr<net::RoundTrips> seen) {
    auto opened = net::UdpSocket::open(co_await asio::this_coro::executor, server.address.family());
    if (!opened) co_return;
    const auto socket = std::make_shared<net::UdpSocket>(std::move(*opened));
    binding->result = co_await net::udp_binding(socket, server, seen);
}

// All at once; those that answered and say that they can.
asio::awaitable<std::vector<Capable>> find_capable(ProofOrder order,
                                                   std::shared_ptr<OutsideProof> out) {
    const auto servers = co_await net::stun_targets(order.servers, order.family);
    std::vector<Capable> found;
    if (servers.empty()) {
        out->why_not = "no-server";
        co_return found;
    }
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    const auto seen = std::make_shared<net::RoundTrips>();
    std::vector<std::shared_ptr<Binding>> bindings;
    for (const Endpoint& server : servers) {
        bindings.push_back(std::make_shared<Binding>());
        tasks.spawn(bind_one(bindings.back(), server, seen));
    }
    while (tasks.running() > 0 && found.empty()) {
        co_await tasks.wait_for_change(TimePoint::max());
        const bool last = tasks.running() == 0;
        for (const auto& binding : bindings) {
            if (!binding->result) continue;
            const auto one = capable(*binding->result);
            const bool known = one && std::any_of(found.begin(), found.end(), [&](const auto& c) {
                                   return c.server == one->server;
                               });
            if (one && !known) found.push_back(*one);
            if (const auto mapped = binding->result->mapped()) {
                out->public_address = mapped->address.unmapped();
            }
        }
        if (last) break;
    }
    if (found.empty()) out->why_not = out->public_address ? "server-unsupported" : "no-answer";
    co_return found;
}

}  // namespace

asio::awaitable<void> prove_from_outside(ProofOrder order, std::shared_ptr<OutsideProof> out) {
    const auto executor = co_await asio::this_coro::executor;
    const auto servers = co_await find_capable(order, out);
    std::size_t tried = 0;
    for (const Capable& server : servers) {
        if (tried++ == most_tried) break;
        auto asking = net::UdpSocket::open(executor, order.family);
        auto control = net::UdpSocket::open(executor, order.family);
        if (!asking || !control) {
            out->why_not = "no-socket";
            co_return;
        }
        std::shared_ptr<net::UdpSocket> target = order.target;
        if (!target) {
            auto opened = net::UdpSocket::open(executor, order.family, order.internal_port);
            out->port_in_use = !opened && opened.error() == asio::error::address_in_use;
            if (opened) target = std::make_shared<net::UdpSocket>(std::move(*opened));
        }
        auto tap = net::PacketTap::open(executor, order.internal_port);
        out->tapped = tap.has_value();
        if (!target && !tap) {
            out->why_not = out->port_in_use ? "port-in-use" : "no-socket";
            co_return;
        }
        const ProofConfig config{server.server,     server.other,    order.external_port,
                                 target != nullptr, tap.has_value(), order.as_it_is};
        const auto drive = std::make_shared<Drive>(config, Clock::now());
        drive->asking = std::make_shared<net::UdpSocket>(std::move(*asking));
        drive->control = std::make_shared<net::UdpSocket>(std::move(*control));
        drive->target = target;
        if (tap) drive->tap = std::make_shared<net::PacketTap>(std::move(*tap));
        out->server = server.server;
        out->public_address = server.mapped;
        co_await run(drive);
        out->result = drive->machine.result();
        out->why_not = std::string(to_string(out->result->proof));
        if (out->result->proof != Proof::server_unsupported) break;
    }
}

}  // namespace p2pdiag::upnp_plugin
