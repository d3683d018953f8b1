// The kernel's settings for ports, as they stand in /proc/sys/net/ipv4; they hold for IPv6 as well.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace p2pdiag::network_plugin {

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;  // at least `first`

    bool contains(std::uint16_t port) const { return first <= port && port <= last; }
    unsigned size() const { return unsigned{last} - first + 1; }
    friend bool operator==(const PortRange&, const PortRange&) = default;
};

// ip_local_port_range: "32768\t60999". Nothing for anything else.
std::optional<PortRange> parse_port_range(std::string_view text);

// ip_local_reserved_ports: "", "8000" or "8000,9000-9010". Nothing for anything else.
std::optional<std::vector<PortRange>> parse_port_list(std::string_view text);

// A number on a line of its own. Nothing for anything else, or one that does not fit.
std::optional<std::uint64_t> parse_setting(std::string_view text);

bool contains(const std::vector<PortRange>& ranges, std::uint16_t port);

}  // namespace p2pdiag::network_plugin
