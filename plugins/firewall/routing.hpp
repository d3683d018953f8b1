// What the routing tables say of a packet, as far as they are known.
#pragma once

#include <optional>
#include <string>

#include "route_rules.hpp"
#include "state.hpp"

namespace p2pdiag::firewall {

enum class AddressKind : std::uint8_t { unknown, local, broadcast, multicast, unicast };

// Of an address of this family to this machine; with `within`, to that interface alone.
AddressKind kind_of(const World& world, const Known& address, Family family,
                    const net::Interface* within);

// ff02::1:ffXX:XXXX of an address of IPv6, RFC 4291 section 2.7.1.
IpAddress solicited_node(const IpAddress& address);

// Any route to it, good or not, leads through the interface. Maybe, where that is not known.
Truth reaches(const World& world, const Known& address, Family family, int interface);

// After prerouting.
struct Fate {
    enum class Kind : std::uint8_t { local, forward, drop, reject, unknown };
    Kind kind = Kind::unknown;
    int interface = 0;            // of forward; 0: not told
    std::string why;              // of drop, reject, unknown
    bool circumstantial = false;  // of unknown
    std::string reject_kind;
    std::string open;  // where there are several: what it hangs on
    bool open_understood = false;
};

// As rules and routes see a packet that comes in.
Flow flow_of(const Packet& packet, const State& state, const net::Interface& arrival);
// The same on the way back, as the kernel's check of the sender asks it.
Flow flow_back(const World& world, const Packet& packet, const State& state,
               const net::Interface& arrival);

// What the check of a sender's address makes of one way back to it. `filter`: of rp_filter.
enum class WayBack : std::uint8_t { good, bad, unknown };
WayBack judge_way_back(const Lookup& way, const net::Interface& arrival, unsigned filter);
// The rp_filter of the interface, with that of all.
unsigned rp_filter(const World& world, const std::string& name, bool& known);

// More than one where something is not known; each may come true then.
std::vector<Fate> route_inbound(const World& world, const Packet& packet, const State& state,
                                const net::Interface& arrival);

}  // namespace p2pdiag::firewall
