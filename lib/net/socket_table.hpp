// Reads the socket table from the kernel: over netlink (sock_diag), which any user may ask, or,
// where that is not to be had, from /proc/net. Of the network namespace that the caller is in.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "net/sockets.hpp"

namespace p2pdiag::net {

// A table with that many is not complete.
inline constexpr std::size_t max_sockets = 100'000;

enum class SocketsWanted {
    open,  // UDP; TCP that listens, or, from Linux 6.8 on, has a port and does nothing with it yet
    all    // also the connections of TCP and what is left of them
};

// The error is that of the kernel, where neither way led to the sockets of some kind.
Result<SocketTable> socket_table(SocketsWanted wanted);

// The body of one answer of sock_diag. Nothing when it is too short, of another family, or without
// a port. Pure.
std::optional<Socket> parse_diag_socket(Transport transport, ByteView body);

// /proc/net/udp, udp6, tcp or tcp6. Lines that are not understood are left out, and `complete` is
// false then. Says nothing of v6only and links. Pure.
SocketTable parse_proc_sockets(Transport transport, Family family, std::string_view text);

}  // namespace p2pdiag::net
