// The two transports that ports are mapped, filtered and probed for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace p2pdiag {

enum class Transport : std::uint8_t { udp, tcp };

constexpr std::string_view to_string(Transport transport) {
    return transport == Transport::udp ? "udp" : "tcp";
}

// "udp" or "tcp", nothing else.
constexpr std::optional<Transport> parse_transport(std::string_view text) {
    if (text == "udp") return Transport::udp;
    if (text == "tcp") return Transport::tcp;
    return std::nullopt;
}

}  // namespace p2pdiag
