// Which way a packet goes: whether this machine's own addresses are where it comes from.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "capture/packet.hpp"

namespace p2pdiag::capture {

class OwnAddresses {
public:
    // Of this interface, as they are now.
    static OwnAddresses of(const std::string& interface);

    // Unknown on a loopback interface, and where the packet does not tell.
    Direction direction(LinkType link_type, ByteView packet) const;

    bool loopback = false;
    std::array<std::uint8_t, 6> hardware{};  // of Ethernet
    std::vector<IpAddress> addresses;        // counts where there is no link header
};

}  // namespace p2pdiag::capture
