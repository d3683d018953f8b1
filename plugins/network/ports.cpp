// network.ports: docs/checks/network.ports.md.
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/file.hpp"
#include "base/run_input.hpp"
#include "checks.hpp"
#include "net/interfaces.hpp"
#include "net/port_trial.hpp"
#include "net/routes.hpp"
#include "net/socket_table.hpp"
#include "port_state.hpp"

namespace p2pdiag::network_plugin {

namespace {

// A host with fewer processes is searched in a hundredth of that.
constexpr Milliseconds longest_search{1500};
constexpr std::size_t max_setting = 65536;

void read_trials(PortState& state) {
    state.trials.clear();
    for (const Transport transport : {Transport::udp, Transport::tcp}) {
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            state.trials.push_back(
                {transport, family, net::try_port(transport, family, state.port)});
        }
    }
}

void read_sockets(PortState& state) {
    auto table = net::socket_table(net::SocketsWanted::all);
    if (!table) {
        state.unreadable = table.error();
        return;
    }
    std::erase_if(table->sockets,
                  [&](const net::Socket& socket) { return socket.local.port != state.port; });
    state.sockets = std::move(*table);
}

// Programs come and go between the trials and the reading of the table.
bool contradicts_itself(const PortState& state) {
    if (state.unreadable) return false;
    return std::any_of(state.trials.begin(), state.trials.end(), [&](const PortTrial& trial) {
        return trial.taken() && net::sockets_at(state.sockets, trial.transport, state.port).empty();
    });
}

void read_holders(PortState& state, TimePoint until) {
    std::set<std::uint64_t> inodes;
    for (const net::Socket& socket : state.sockets.sockets) {
        if (socket.inode != 0) inodes.insert(socket.inode);
        if (state.users.contains(socket.uid)) continue;
        if (auto name = net::user_name(socket.uid)) state.users[socket.uid] = std::move(*name);
    }
    if (inodes.empty()) return;
    state.holders = net::socket_holders(inodes, std::min(until, Clock::now() + longest_search));
}

void read_settings(PortState& state) {
    const auto read = [](const char* name) {
        const auto text = read_file(std::string("/proc/sys/net/ipv4/") + name, max_setting);
        return text ? std::optional(*text) : std::nullopt;
    };
    if (const auto text = read("ip_local_port_range")) state.ephemeral = parse_port_range(*text);
    if (const auto text = read("ip_local_reserved_ports")) state.reserved = parse_port_list(*text);
    if (const auto text = read("ip_unprivileged_port_start")) {
        state.unprivileged_start = parse_setting(*text);
    }
}

void read_doorways(PortState& state) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto route = net::route_to_internet(family);
        if (!route || !*route || !(*route)->source) continue;
        state.doorways.push_back({*(*route)->source, (*route)->interface});
    }
    const auto interfaces = net::interfaces();
    if (!interfaces) return;
    for (const net::Interface& link : *interfaces) state.links[link.index] = link.name;
}

}  // namespace

p2pdiag_status check_ports(Run& run) {
    PortState state;
    state.port = target_port(run.input());
    state.self = net::describe_process(::getpid());
    read_trials(state);
    read_sockets(state);
    if (contradicts_itself(state)) {
        read_trials(state);
        read_sockets(state);
    }
    read_holders(state, run.time_to_stop());
    read_settings(state);
    read_doorways(state);
    return hand_over(run, judge(state));
}

}  // namespace p2pdiag::network_plugin
