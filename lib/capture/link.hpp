// What stands between the wire and the IP header: https://www.tcpdump.org/linktypes.html.
#pragma once

#include <optional>

#include "capture/packet.hpp"

namespace p2pdiag::capture {

struct LinkPayload {
    ByteView ip;  // from the IP header on
    // What the link header says of the way; the packet's own word counts where it has one.
    Direction direction = Direction::unknown;
    bool to_group = false;  // multicast or broadcast on this link, whatever the IP address
};

// Ethernet with any VLAN tags and PPPoE, the Linux "any" device, loopback and raw IP. Nothing where
// the packet holds no IP (ARP, LLDP, …) or is cut before it.
std::optional<LinkPayload> link_payload(const Packet& packet);

// False where packets of this type cannot be read at all.
bool is_known(LinkType type);

}  // namespace p2pdiag::capture
