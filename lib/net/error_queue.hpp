// What Linux keeps for a socket that asked for it (IP_RECVERR): each ICMP error about a packet of
// its own, with who sent it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/address.hpp"
#include "base/result.hpp"
#include "wire/icmp/message.hpp"

namespace p2pdiag::net {

// A packet of ours came to nothing, as a router, the peer or this machine says.
struct SendError {
    Endpoint destination;
    ErrorCode error;  // system category: connection_refused, host_unreachable, message_size, …
    // Who said so, where it was an ICMP message. Its type and code tell more than the errno does.
    std::optional<IpAddress> reporter;
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    std::uint32_t mtu = 0;  // of the next link, with message_size; 0 where it was not told

    // The same in words; nothing where it was no ICMP message.
    std::optional<icmp::Said> said() const;
};

// Has the kernel fill the queue of this socket, or no longer. TCP sockets have one only while they
// connect.
ErrorCode keep_errors(int socket, Family family, bool on);

// Takes one entry out of the queue. False when it was empty; `error` is nothing where the entry
// could not be read.
bool take_error(int socket, std::optional<SendError>& error);

}  // namespace p2pdiag::net
