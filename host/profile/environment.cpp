#include <functional>

#include "profile/layers.hpp"

namespace p2pdiag::profile {
namespace {

constexpr Variable known_variables[] = {
    {"P2P_STUN_SERVERS", "servers", "stun"},  // comma-separated
    {"P2P_TURN_SERVER", "servers.turn", "server"},
    {"P2P_TURN_USERNAME", "servers.turn", "username"},
    {"P2P_TURN_PASSWORD", "servers.turn", "password"},
    {"P2P_CONNECTION_TIMEOUT", "connection", "timeout"},               // milliseconds
    {"P2P_KEEP_ALIVE_INTERVAL", "connection", "keep_alive_interval"},  // milliseconds
    {"P2P_SIGNALING_PORT", "connection", "signaling_port"},
};

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

TomlValue scalar(json::value value) {
    TomlValue out;
    out.scalar = std::move(value);
    return out;
}

TomlValue comma_separated(std::string_view text) {
    TomlValue list;
    list.kind = TomlValue::Kind::array;
    for (;;) {
        // An empty one is kept, and refused like any other that is no server.
        const std::size_t comma = text.find(',');
        list.elements.push_back(scalar(json::value(trimmed(text.substr(0, comma)))));
        if (comma == text.npos) return list;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

std::span<const Variable> variables() { return known_variables; }

std::vector<std::string> put_environment(
    Layers& layers,
    const std::function<std::optional<std::string>(const std::string&)>& environment) {
    std::vector<std::string> used;
    for (const Variable& variable : known_variables) {
        const std::optional<std::string> text = environment(variable.name);
        if (!text || text->empty()) continue;
        used.emplace_back(variable.name);
        const options::Option& option = host_option(variable.section, variable.key);
        if (option.repeat) {
            put(layers, variable.section, option, comma_separated(*text), variable.name);
            continue;
        }
        const auto value = options::from_text(option, *text);
        if (value) {
            put(layers, variable.section, option, scalar(*value), variable.name);
        } else {
            layers.problems.push_back({variable.name, 0, 0, value.error().why});
        }
    }
    return used;
}

}  // namespace p2pdiag::profile
