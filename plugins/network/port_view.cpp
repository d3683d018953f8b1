// Which of the situations of port_state.hpp it is.
#include <algorithm>

#include "port_state.hpp"

namespace p2pdiag::network_plugin {

namespace {

using net::Exposure;
using net::Socket;
using net::SocketState;

bool is_own(const PortState& state, const Socket& socket) {
    const auto found = state.holders.of_inode.find(socket.inode);
    if (socket.inode == 0 || found == state.holders.of_inode.end()) return false;
    const net::Process& self = state.self;
    return std::all_of(found->second.begin(), found->second.end(), [&](const net::Process& one) {
        const bool sibling = one.parent && one.parent == self.parent && one.executable &&
                             one.executable == self.executable;
        return one.pid == self.pid || sibling;
    });
}

bool opens_to_nobody(const PortState& state, Transport transport) {
    if (state.doorways.empty()) return false;
    return std::all_of(state.doorways.begin(), state.doorways.end(), [&](const Doorway& door) {
        const net::Arrival arrival{transport, {door.address, state.port}, door.interface, 0};
        return net::reception(state.sockets, arrival).receives == net::Receives::no;
    });
}

PortUse use_of_open(const PortState& state, const PortView& view) {
    const Exposure widest = std::max(view.exposure_v4.value_or(Exposure::none),
                                     view.exposure_v6.value_or(Exposure::none));
    if (widest < Exposure::addresses) {
        const bool known = view.exposure_v4 && view.exposure_v6;
        return known ? PortUse::loopback : PortUse::perhaps;
    }
    return opens_to_nobody(state, view.transport) ? PortUse::elsewhere : PortUse::reachable;
}

PortUse use_of(const PortState& state, const PortView& view) {
    const auto& sockets = view.sockets;
    const auto is = [&](auto condition) {
        return std::any_of(sockets.begin(), sockets.end(), condition);
    };
    const auto trial = [&](auto condition) {
        return std::any_of(state.trials.begin(), state.trials.end(), [&](const PortTrial& one) {
            return one.transport == view.transport && condition(one);
        });
    };
    if (is([&](const Socket* one) { return is_own(state, *one); })) return PortUse::own_run;
    if (is([](const Socket* one) { return one->is_open(); })) return use_of_open(state, view);
    if (!sockets.empty()) {
        const bool held = view.transport == Transport::udp ||
                          is([](const Socket* one) { return one->state == SocketState::bound; });
        return held ? PortUse::silent : PortUse::left_over;
    }
    if (trial([](const PortTrial& one) { return one.taken(); })) return PortUse::invisible;
    if (trial([](const PortTrial& one) { return one.forbidden(); })) return PortUse::forbidden;
    // Free by one family, and the other is free as well or not there at all.
    const bool free = trial([](const PortTrial& one) { return !one.error; });
    const bool failed = trial([](const PortTrial& one) { return one.error && !one.unsupported(); });
    return free && !failed ? PortUse::free : PortUse::unclear;
}

}  // namespace

bool PortTrial::forbidden() const {
    return error == boost::system::errc::permission_denied ||
           error == boost::system::errc::operation_not_permitted;
}

bool PortTrial::unsupported() const {
    return error == boost::system::errc::address_family_not_supported ||
           error == boost::system::errc::address_not_available;
}

std::string_view to_string(PortUse use) {
    switch (use) {
        case PortUse::free: return "free";
        case PortUse::reachable: return "reachable";
        case PortUse::loopback: return "loopback";
        case PortUse::perhaps: return "perhaps";
        case PortUse::elsewhere: return "elsewhere";
        case PortUse::silent: return "silent";
        case PortUse::left_over: return "left-over";
        case PortUse::invisible: return "invisible";
        case PortUse::forbidden: return "forbidden";
        case PortUse::own_run: return "own-run";
        case PortUse::unclear: break;
    }
    return "unclear";
}

PortView view_of(const PortState& state, Transport transport) {
    PortView view;
    view.transport = transport;
    view.sockets = net::sockets_at(state.sockets, transport, state.port);
    if (!state.unreadable) {
        view.exposure_v4 = net::exposure(state.sockets, transport, Family::ipv4, state.port);
        view.exposure_v6 = net::exposure(state.sockets, transport, Family::ipv6, state.port);
    }
    view.use = use_of(state, view);
    return view;
}

}  // namespace p2pdiag::network_plugin
