// What stun.nat tells a recording of its packets.
#include <cstdio>

#include "nat_report.hpp"

namespace p2pdiag::nat {

namespace {

std::string_view purpose(Role role) {
    switch (role) {
        case Role::mapping: return "mapping test";
        case Role::reach: return "is anything answered?";
        case Role::other_port: return "is another port answered?";
        case Role::classic: return "is a request without the cookie answered?";
        case Role::unlisted_port: return "does UDP to any port get out?";
        case Role::baseline: return "how much is lost?";
        case Role::filter_address: return "filter test, answer from the other address and port";
        case Role::filter_port: return "filter test, answer from the other port";
        case Role::filter_path: return "do requests from this socket get out at all?";
        case Role::open_address: return "control contacts the other address";
        case Role::control_address: return "control, answer from the other address and port";
        case Role::open_port: return "control contacts the other port";
        case Role::control_port: return "control, answer from the other port";
        case Role::own_open: return "the filter test's own socket contacts the other endpoint";
        case Role::own_control: return "control from the filter test's own socket";
        case Role::given_port: return "mapping test of the given port";
        case Role::port_step: return "how ports are chosen";
        case Role::hairpin_open: return "hairpin test, opening";
        case Role::hairpin: return "hairpin test";
    }
    return "";
}

std::string hex(const stun::TransactionId& id) {
    std::string text;
    for (const std::uint8_t byte : id) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", unsigned{byte});
        text += digits;
    }
    return text;
}

// One line a socket, so that none comes near what a message may hold.
void tell_socket(Run& run, const Observations& seen, SocketId socket) {
    json::array transactions;
    for (const Probe& probe : seen.probes) {
        if (probe.socket != socket) continue;
        std::size_t number = 0;
        for (const Send& send : probe.sends) {
            std::string text(purpose(probe.role));
            text += ", send " + std::to_string(++number) + " to " + probe.to.to_string();
            transactions.push_back(json::object{{"id", hex(send.transaction)}, {"text", text}});
        }
    }
    const std::uint16_t port = seen.sockets[socket].local_port;
    if (transactions.empty() || port == 0) return;
    const IpAddress any = seen.family == Family::ipv4 ? IpAddress::v4(0) : IpAddress::v6({});
    run.flow("\"protocol\":\"udp\",\"local\":\"" + Endpoint{any, port}.to_string() +
             "\",\"transactions\":" + json::to_text(transactions));
}

}  // namespace

void tell_flows(Run& run, const Observations& seen) {
    for (SocketId socket = 0; socket < seen.sockets.size(); ++socket) {
        tell_socket(run, seen, socket);
    }
}

}  // namespace p2pdiag::nat
