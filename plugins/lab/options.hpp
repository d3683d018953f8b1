// What the command line of `p2pdiag lab run` and `lab shell` asks for.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/json.hpp"
#include "base/transport.hpp"
#include "outcome.hpp"

namespace p2pdiag::lab {

enum class Nat {
    open,  // no router at all
    full_cone,
    restricted_cone,
    port_restricted_cone,
    address_dependent,
    symmetric,
    symmetric_sequential
};

inline constexpr std::array<std::pair<Nat, std::string_view>, 7> nat_names{{
    {Nat::open, "open"},
    {Nat::full_cone, "full-cone"},
    {Nat::restricted_cone, "restricted-cone"},
    {Nat::port_restricted_cone, "port-restricted-cone"},
    {Nat::address_dependent, "address-dependent"},
    {Nat::symmetric, "symmetric"},
    {Nat::symmetric_sequential, "symmetric-sequential"},
}};

std::string_view to_string(Nat nat);

// The port mapping protocols that the home router speaks.
struct Igd {
    bool upnp = false;
    bool natpmp = false;
    bool pcp = false;

    bool any() const { return upnp || natpmp || pcp; }
};

struct Block {
    bool udp = false;       // at the router
    bool udp_3478 = false;  // at the router: the port of STUN and TURN alone
    bool udp_out = false;   // at the client itself
    bool tcp_high = false;  // at the router
    bool ipv6_in = false;   // at the router: what comes back over IPv6
};

enum class Dns {
    ok,
    broken,  // never answers
    nat64,   // answers for ipv4only.arpa as one beside a NAT64 does (RFC 7050)
    lying    // has an address, the same one, for every name that does not exist
};

// A port of the client that is taken.
struct TakenPort {
    Transport transport = Transport::udp;
    Endpoint local;  // 0.0.0.0 or :: for any address

    std::string to_string() const;  // as it is written on the command line
};

struct Options {
    Nat nat = Nat::open;
    std::optional<Nat> peer_nat;  // a second home
    std::optional<Nat> cgnat;     // a carrier's NAT before the first home
    std::string on = "client";
    bool command = false;  // the rest is a program with its arguments, not arguments of p2pdiag
    bool servers = true;   // STUN, TURN and DNS
    Block block;
    std::string host_firewall;  // path of a ruleset for the client; empty = none
    Igd igd;
    double loss_percent = 0;                   // 0 to 90, each way
    std::optional<unsigned> mapping_lifetime;  // seconds
    bool hairpin = false;
    bool ipv6 = false;
    Dns dns = Dns::ok;
    bool default_route = true;
    std::vector<TakenPort> listen;
    std::optional<unsigned> mtu;       // bytes, of the home's uplink
    bool mtu_silent = false;           // nobody is told of that MTU
    bool captive_portal = false;       // the router shows a login page instead of the internet
    int web_clock_s = 0;               // the web server's clock is so far ahead
    std::optional<unsigned> delay_ms;  // each way
};

// The JSON that the host makes of the command line, checked once more, since not every caller is
// the host.
Outcome<Options> parse_options(const json::object& options);

}  // namespace p2pdiag::lab
