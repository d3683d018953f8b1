// What every check may want of the input that the host hands it
// (docs/plugin-author/reference.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace p2pdiag {

// As the default profile has it.
inline constexpr std::uint16_t usual_target_port = 8000;

// target.port of the profile: the port on which the user's own program listens.
inline std::uint16_t target_port(const json::object& input) {
    const json::object* target = json::find_object(input, "target");
    const auto port = target == nullptr ? std::nullopt : json::find_integer(*target, "port");
    const bool valid = port && *port >= 1 && *port <= 65535;
    return valid ? static_cast<std::uint16_t>(*port) : usual_target_port;
}

inline std::uint16_t target_port(std::string_view input) {
    const auto parsed = json::parse(input);
    return target_port(parsed && parsed->is_object() ? parsed->get_object() : json::object());
}

// servers.stun of the profile, "host:port" or "stun:host:port": as many as anybody waits for.
inline std::vector<std::string> stun_servers(const json::object& input) {
    constexpr std::size_t most = 16;
    std::vector<std::string> names;
    const json::object* servers = json::find_object(input, "servers");
    const json::array* stun = servers == nullptr ? nullptr : json::find_array(*servers, "stun");
    if (stun == nullptr) return names;
    for (const json::value& item : *stun) {
        if (item.is_string() && names.size() < most) names.emplace_back(item.get_string());
    }
    return names;
}

}  // namespace p2pdiag
