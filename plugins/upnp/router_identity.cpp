#include "router_identity.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

std::string to_text(const Bytes& hardware) {
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : hardware) {
        if (!text.empty()) text += ':';
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace

std::string hardware_in(const std::vector<net::Neighbour>& table,
                        const net::portmap::Service& service) {
    for (const net::Neighbour& one : table) {
        const bool answered = one.state != net::NeighbourState::incomplete &&
                              one.state != net::NeighbourState::failed;
        if (!answered || one.address != service.router) continue;
        if (service.interface == 0 || one.interface == service.interface) {
            return to_text(one.hardware);
        }
    }
    return {};
}

std::string hardware_of(const net::portmap::Service& service) {
    const auto table = net::neighbours();
    return table ? hardware_in(*table, service) : std::string();
}

bool is_another(const std::string& then, const std::string& now) {
    return !then.empty() && !now.empty() && then != now;
}

}  // namespace p2pdiag::upnp_plugin
