// How much of what the kernel gives out is used, and what that means. Pure: limits.cpp reads it.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/sockets.hpp"
#include "port_settings.hpp"

namespace p2pdiag::network_plugin {

struct Amount {
    std::uint64_t used = 0;
    std::uint64_t limit = 0;

    bool full() const { return used >= limit; }
    // The point at which a burst of a few seconds may fill it.
    bool near() const { return limit - limit / 10 <= used; }
};

// fs.file-nr: "allocated\tunused\tmost". Nothing for anything else.
std::optional<Amount> parse_file_numbers(std::string_view text);

// The ports that the system picks by itself (net.ipv4.ip_local_port_range), by one transport.
struct PortAmount {
    Amount ports;  // of the family that has fewer left
    // TCP: the remote endpoint to which most of them lead. Another connection to it needs a port
    // that none of them has.
    std::optional<Endpoint> busiest;
    std::uint64_t to_busiest = 0;
};

// What sockets of the table use of the range, less the reserved ports. Nothing where the table is
// not complete.
std::optional<PortAmount> count_ports(const net::SocketTable& table, Transport transport,
                                      const PortRange& range,
                                      const std::vector<PortRange>& reserved);

struct Limits {
    // Entries of the connection tracking of this machine; nothing with the reason "not-loaded" or
    // "not-readable".
    std::optional<Amount> conntrack;
    std::string conntrack_reason;
    // Nothing with the reason "no-range" or "no-table".
    std::optional<PortAmount> udp_ports;
    std::optional<PortAmount> tcp_ports;
    std::string ports_reason;
    // Open files of the whole system, which only root's programs may exceed.
    std::optional<Amount> files;
    // RLIMIT_NOFILE: of this process, and so of what is started where p2pdiag was.
    std::optional<std::uint64_t> process_files;
    std::optional<std::uint64_t> process_files_hard;
};

// Punching with birthday paradox takes that many sockets at once, beside everything else.
inline constexpr std::uint64_t enough_files = 512;

Judgement judge(const Limits& limits);

}  // namespace p2pdiag::network_plugin
