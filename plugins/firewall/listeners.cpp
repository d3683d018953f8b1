#include "listeners.hpp"

#include <set>

#include "base/text.hpp"
#include "net/socket_table.hpp"

namespace p2pdiag::firewall {

namespace {

Transport transport_of(const Asked& asked) {
    return asked.question.protocol == protocol_udp ? Transport::udp : Transport::tcp;
}

// Where the packet ends up here, as far as it is known.
std::optional<Endpoint> target_of(const Asked& asked) {
    const auto& delivery = asked.verdict.delivery;
    // It was stopped on its way to another machine.
    const bool forwarded = std::ranges::any_of(
        asked.verdict.trace, [](const TraceStep& step) { return step.hook == Hook::forward; });
    if (forwarded && asked.verdict.passes == false) return std::nullopt;
    if (!delivery) return Endpoint{asked.packet.destination, asked.question.port};
    if (!delivery->local) return std::nullopt;
    return Endpoint{delivery->is_exact() ? delivery->destination : asked.packet.destination,
                    delivery->port};
}

net::Arrival arrival_of(const World& world, const Asked& asked, const Endpoint& to) {
    net::Arrival arrival;
    arrival.transport = transport_of(asked);
    arrival.to = to;
    const net::Interface* in = world.find_interface(asked.question.interface);
    if (in != nullptr) arrival.interface = in->index;
    return arrival;
}

// The open sockets of that port that may serve the family.
std::vector<const net::Socket*> open_sockets(const net::SocketTable& table, const Asked& asked,
                                             std::uint16_t port) {
    std::vector<const net::Socket*> open;
    for (const net::Socket* socket : net::sockets_at(table, transport_of(asked), port)) {
        const auto serves = net::serves(*socket, asked.question.family);
        if (socket->is_open() && serves != net::Receives::no) open.push_back(socket);
    }
    return open;
}

Listening listening_of(const net::SocketTable& table, const Asked& asked, std::uint16_t port,
                       const net::Reception& reception) {
    if (reception.receives == net::Receives::yes) return Listening::yes;
    if (reception.receives == net::Receives::perhaps) {
        return reception.sockets.empty() ? Listening::unknown : Listening::perhaps;
    }
    const auto exposure = net::exposure(table, transport_of(asked), asked.question.family, port);
    if (!exposure) return Listening::unknown;
    switch (*exposure) {
        case net::Exposure::none: return Listening::nobody;
        case net::Exposure::loopback: return Listening::loopback_only;
        case net::Exposure::addresses: return Listening::elsewhere;
        case net::Exposure::everywhere: break;
    }
    return Listening::unknown;
}

std::string named(const net::Process& process) {
    std::string name = printable(process.name) + " (pid " + std::to_string(process.pid);
    if (process.user) name += ", " + printable(*process.user);
    return name + ')';
}

std::string subject(const Listener& listener) {
    if (listener.programs.empty()) return "A program";
    std::string who = named(listener.programs.front());
    if (listener.programs.size() > 1)
        who += " and " + std::to_string(listener.programs.size() - 1) + " more";
    return who;
}

}  // namespace

std::string_view to_string(Listening listening) {
    switch (listening) {
        case Listening::yes: return "listening";
        case Listening::perhaps: return "perhaps";
        case Listening::loopback_only: return "loopback-only";
        case Listening::elsewhere: return "other-address";
        case Listening::nobody: return "nobody";
        case Listening::unknown: break;
    }
    return "unknown";
}

std::string Listener::words() const {
    const std::string where = address ? " on " + address->to_string() : "";
    switch (listening) {
        case Listening::yes: return subject(*this) + " listens" + where + '.';
        case Listening::perhaps: return subject(*this) + " may be reached" + where + '.';
        case Listening::loopback_only:
            return subject(*this) + " listens" + where +
                   ", which only this machine reaches: to others the port is closed.";
        case Listening::elsewhere:
            return subject(*this) + " listens" + where +
                   ", not on this address: here the port is closed.";
        case Listening::nobody:
            return "Nobody listens: a packet that comes in is refused, as by a rule that rejects.";
        case Listening::unknown: break;
    }
    return "Whether a program listens is not known.";
}

Listeners read_listeners(const World& world, const std::vector<Asked>& all, TimePoint until) {
    Listeners listeners;
    auto table = net::socket_table(net::SocketsWanted::open);
    if (!table) return listeners;
    listeners.table = std::move(*table);
    std::set<std::uint64_t> inodes;
    for (const Asked& asked : all) {
        const auto to = target_of(asked);
        if (!to) continue;
        for (const net::Socket* socket : open_sockets(*listeners.table, asked, to->port))
            inodes.insert(socket->inode);
        for (const net::Socket* socket :
             net::reception(*listeners.table, arrival_of(world, asked, *to)).sockets)
            inodes.insert(socket->inode);
    }
    if (!inodes.empty()) listeners.holders = net::socket_holders(inodes, until);
    return listeners;
}

std::optional<Listener> find_listener(const World& world, const Listeners& listeners,
                                      const Asked& asked) {
    const auto to = target_of(asked);
    if (!to) return std::nullopt;
    Listener listener;
    if (!listeners.table) return listener;
    const net::Reception reception =
        net::reception(*listeners.table, arrival_of(world, asked, *to));
    listener.listening = listening_of(*listeners.table, asked, to->port, reception);
    const auto sockets = reception.sockets.empty() ? open_sockets(*listeners.table, asked, to->port)
                                                   : reception.sockets;
    if (sockets.empty()) return listener;
    const Endpoint& local = sockets.front()->local;
    listener.address = Endpoint{local.address.unmapped(), local.port};
    const auto held = listeners.holders.of_inode.find(sockets.front()->inode);
    if (held != listeners.holders.of_inode.end()) listener.programs = held->second;
    return listener;
}

json::object to_json(const Listener& listener) {
    json::object object{
        {"state", to_string(listener.listening)}, {"address", nullptr}, {"processes", nullptr}};
    if (listener.address) object["address"] = listener.address->to_string();
    if (listener.programs.empty()) return object;
    json::array processes;
    for (const net::Process& process : listener.programs) {
        json::object one{
            {"pid", process.pid}, {"name", printable(process.name)}, {"user", nullptr}};
        if (process.user) one["user"] = printable(*process.user);
        processes.push_back(std::move(one));
    }
    object["processes"] = std::move(processes);
    return object;
}

}  // namespace p2pdiag::firewall
