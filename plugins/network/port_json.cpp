// docs/checks/network.ports.md describes what is written here.
#include <algorithm>

#include "base/text.hpp"
#include "port_state.hpp"

namespace p2pdiag::network_plugin {

namespace {

// A server with many connections has many sockets at its port.
constexpr std::size_t max_sockets_listed = 32;

std::string_view to_string(net::SocketState state) {
    switch (state) {
        case net::SocketState::listening: return "listening";
        case net::SocketState::bound: return "bound";
        case net::SocketState::connected: return "connected";
        case net::SocketState::closing: break;
    }
    return "closing";
}

std::string_view to_string(net::Exposure exposure) {
    switch (exposure) {
        case net::Exposure::none: return "none";
        case net::Exposure::loopback: return "loopback";
        case net::Exposure::addresses: return "addresses";
        case net::Exposure::everywhere: break;
    }
    return "everywhere";
}

json::value text_or_null(const std::optional<std::string>& text) {
    return text ? json::value(printable(*text)) : json::value();
}

json::object to_json(const net::Process& process) {
    json::object object{
        {"pid", process.pid},  {"name", printable(process.name)},    {"executable", nullptr},
        {"uid", nullptr},      {"user", text_or_null(process.user)}, {"unit", nullptr},
        {"user_unit", nullptr}};
    if (process.executable) object["executable"] = printable(*process.executable, 512);
    if (process.uid) object["uid"] = *process.uid;
    if (process.unit) {
        object[process.unit->of_user ? "user_unit" : "unit"] = printable(process.unit->name, 256);
    }
    return object;
}

// Why no process is named.
const char* processes_reason(const PortState& state, const net::Socket& socket) {
    if (socket.inode == 0) return "no-program";
    if (state.holders.denied) return state.self.uid == 0U ? "not-permitted" : "needs-root";
    return state.holders.cut ? "no-time" : "not-visible";
}

json::object to_json(const PortState& state, const net::Socket& socket) {
    json::object object{{"address", socket.local.to_string()},
                        {"family", p2pdiag::to_string(socket.family)},
                        {"state", to_string(socket.state)},
                        {"remote", nullptr},
                        {"v6only", nullptr},
                        {"interface", nullptr},
                        {"uid", socket.uid},
                        {"user", nullptr},
                        {"processes", nullptr},
                        {"processes_reason", nullptr}};
    if (socket.remote) object["remote"] = socket.remote->to_string();
    if (socket.v6only) object["v6only"] = *socket.v6only;
    if (const auto link = state.links.find(socket.interface.value_or(0));
        link != state.links.end()) {
        object["interface"] = printable(link->second);
    }
    if (const auto user = state.users.find(socket.uid); user != state.users.end()) {
        object["user"] = printable(user->second);
    }
    const auto holders = state.holders.of_inode.find(socket.inode);
    if (socket.inode == 0 || holders == state.holders.of_inode.end()) {
        object["processes_reason"] = processes_reason(state, socket);
        return object;
    }
    json::array processes;
    for (const net::Process& process : holders->second) processes.push_back(to_json(process));
    object["processes"] = std::move(processes);
    return object;
}

const char* trial_text(const PortTrial& trial) {
    if (!trial.error) return "free";
    if (trial.taken()) return "taken";
    if (trial.forbidden()) return "forbidden";
    return trial.unsupported() ? "unsupported" : "failed";
}

json::object family_json(const PortState& state, const PortView& view, Family family) {
    json::object object{{"bind", nullptr}, {"exposure", nullptr}};
    for (const PortTrial& trial : state.trials) {
        if (trial.transport == view.transport && trial.family == family) {
            object["bind"] = trial_text(trial);
        }
    }
    const auto& exposure = family == Family::ipv4 ? view.exposure_v4 : view.exposure_v6;
    if (exposure) object["exposure"] = to_string(*exposure);
    return object;
}

}  // namespace

json::object to_json(const PortState& state, const PortView& view) {
    // Those that listen first: what is cut off is connections.
    std::vector<const net::Socket*> sockets = view.sockets;
    std::stable_partition(sockets.begin(), sockets.end(),
                          [](const net::Socket* one) { return one->is_open(); });
    json::array list;
    for (const net::Socket* socket : sockets) {
        if (list.size() == max_sockets_listed) break;
        list.push_back(to_json(state, *socket));
    }
    return {{"use", to_string(view.use)},
            {"ipv4", family_json(state, view, Family::ipv4)},
            {"ipv6", family_json(state, view, Family::ipv6)},
            {"sockets_left_out", sockets.size() - list.size()},
            {"sockets", std::move(list)}};
}

}  // namespace p2pdiag::network_plugin
