// The links of this machine and their addresses, as the kernel tells them. Sends nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

enum class LinkKind {
    loopback,
    ethernet,
    wifi,
    tunnel,     // tun, tap, WireGuard, GRE and the like: what a VPN uses
    ppp,        // a modem or DSL line, sometimes a VPN
    bridge,     // joins other links
    container,  // veth, macvlan and the like: one end lies in a container or a virtual machine
    vrf,        // gathers links that have routes of their own
    dummy,      // goes nowhere
    other
};
std::string_view to_string(LinkKind kind);

// Of an IPv6 address: duplicate address detection, RFC 4862 section 5.4. Nothing comes in to an
// address that has not passed it.
enum class AddressCheck : std::uint8_t { passed, going_on, failed };
std::string_view to_string(AddressCheck check);

struct InterfaceAddress {
    IpAddress address;
    unsigned prefix = 0;  // bits
    // False for an IPv6 address that is still being checked, was found to be taken, or is
    // deprecated: no new connection uses it.
    bool usable = true;
    AddressCheck check = AddressCheck::passed;
};

struct Interface {
    std::string name;
    int index = 0;  // the kernel's, from 1
    LinkKind kind = LinkKind::other;
    bool up = false;       // switched on
    bool carrier = false;  // a cable, a network, a peer is there
    unsigned mtu = 0;      // bytes
    int master = 0;        // index of the bridge or bond that this link is a part of, or 0
    int lower = 0;         // index of the link here that a VLAN, macvlan or ipvlan lies on, or 0
    // Programs that may do anything with its packets before or after every rule of a firewall.
    bool xdp = false;         // one is attached by XDP
    bool tc_ingress = false;  // filters of tc(8) at the qdiscs clsact or ingress
    bool tc_egress = false;   // … and at the other side of clsact
    bool arp_off = false;     // a link that would have ARP and discovery, switched off (IFF_NOARP)
    std::vector<InterfaceAddress> addresses;

    // Can carry packets.
    bool working() const { return up && carrier; }
};

// In the kernel's order. The error is that of the kernel.
Result<std::vector<Interface>> interfaces();

// Whether a link of this machine has the address. Also true where the kernel does not tell.
bool is_own_address(const IpAddress& address);

}  // namespace p2pdiag::net
