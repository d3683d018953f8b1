// What the routing tables say of a packet, as far as they are known.
#pragma once

#include <optional>
#include <string>

#include "state.hpp"

namespace p2pdiag::firewall {

enum class AddressKind : std::uint8_t { unknown, local, broadcast, multicast, unicast };

// Of an address of this family to this machine; with `within`, to that interface alone.
AddressKind kind_of(const World& world, const Known& address, Family family,
                    const net::Interface* within);

// ff02::1:ffXX:XXXX of an address of IPv6, RFC 4291 section 2.7.1.
IpAddress solicited_node(const IpAddress& address);

struct Lookup {
    enum class Answer : std::uint8_t { unknown, found, none };
    Answer answer = Answer::unknown;
    Route::Type type = Route::Type::unicast;
    int interface = 0;  // 0: not told
};

// The best route to an address that is not of this machine.
Lookup find_route(const World& world, const Known& address, Family family);

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
};

// More than one where something is not known; each may come true then.
std::vector<Fate> route_inbound(const World& world, const Packet& packet, const State& state,
                                const net::Interface& arrival);

}  // namespace p2pdiag::firewall
