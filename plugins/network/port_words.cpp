// Programs and situations in words.
#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "port_state.hpp"

namespace p2pdiag::network_plugin {

namespace {

constexpr std::size_t max_named = 3;

std::string text_of(const net::Process& process) {
    std::string text = process.name.empty() ? "a program" : printable(process.name);
    text += " (process " + std::to_string(process.pid);
    if (process.user) {
        text += ", user " + printable(*process.user);
    } else if (process.uid) {
        text += ", user " + std::to_string(*process.uid);
    }
    if (process.unit) text += ", unit " + printable(process.unit->name);
    return text + ")";
}

std::string user_text(const PortState& state, std::uint32_t uid) {
    const auto found = state.users.find(uid);
    return found == state.users.end() ? std::to_string(uid) : printable(found->second);
}

// Of sockets whose program is not known.
std::string stranger_text(const PortState& state, const net::Socket& socket) {
    std::string text = "a program of user " + user_text(state, socket.uid);
    const bool root = state.self.uid == 0U;
    if (state.holders.denied && !root) return text + " (sudo p2pdiag run network.ports names it)";
    return text + " that cannot be seen from here";
}

}  // namespace

std::string holders_text(const PortState& state, const PortView& view) {
    const bool some_open = std::any_of(view.sockets.begin(), view.sockets.end(),
                                       [](const net::Socket* one) { return one->is_open(); });
    std::vector<std::string> names;
    std::set<int> seen;
    const net::Socket* unknown = nullptr;
    for (const net::Socket* socket : view.sockets) {
        // Of a server, its connections are not the point.
        if (some_open && !socket->is_open()) continue;
        const auto found = state.holders.of_inode.find(socket->inode);
        if (socket->inode == 0 || found == state.holders.of_inode.end()) {
            if (socket->inode != 0 && unknown == nullptr) unknown = socket;
            continue;
        }
        for (const net::Process& process : found->second) {
            if (seen.insert(process.pid).second) names.push_back(text_of(process));
        }
    }
    if (unknown != nullptr) names.push_back(stranger_text(state, *unknown));
    if (names.empty()) return "a program that cannot be seen from here";
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), max_named); ++i) {
        if (i > 0) text += ", ";
        text += names[i];
    }
    if (names.size() > max_named)
        text += " and " + std::to_string(names.size() - max_named) + " more";
    return text;
}

std::string use_text(const PortView& view) {
    switch (view.use) {
        case PortUse::free: return "free";
        case PortUse::loopback: return "listens for this machine only";
        case PortUse::perhaps: return "listens, for whom could not be told";
        case PortUse::elsewhere: return "listens, but not where packets from the internet come in";
        case PortUse::silent: return "holds it without listening";
        case PortUse::left_over: return "held by connections only";
        case PortUse::invisible: return "taken by something that cannot be seen from here";
        case PortUse::forbidden: return "not allowed to this user";
        case PortUse::own_run: return "used by a check of this run";
        case PortUse::unclear: return "could not be tried";
        case PortUse::reachable: break;
    }
    if (!view.exposure_v4 || !view.exposure_v6) return "listens";
    const bool everywhere =
        std::max(*view.exposure_v4, *view.exposure_v6) == net::Exposure::everywhere;
    if (!everywhere) return "listens on single addresses";
    if (*view.exposure_v4 != net::Exposure::everywhere) return "listens on every IPv6 address";
    if (*view.exposure_v6 != net::Exposure::everywhere) return "listens on every IPv4 address";
    return "listens on every address";
}

}  // namespace p2pdiag::network_plugin
