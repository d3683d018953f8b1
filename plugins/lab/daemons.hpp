// Command lines and configuration of the real servers that the lab runs.
#pragma once

#include "topology.hpp"

namespace p2pdiag::lab {

// The lab's only account at its TURN server.
inline constexpr const char* turn_user = "lab";
inline constexpr const char* turn_password = "lab-password";
inline constexpr const char* turn_realm = "lab";

// STUN and TURN on two addresses and ports 3478, 3479 (TLS: 5349, 5350), with RFC 5780.
Daemon stun_server(bool ipv6);

// Names below "lab", and ipv4only.arpa (RFC 7050), with `nat64` as beside a NAT64; every other name
// does not exist.
Daemon name_server(bool ipv6, bool nat64);

// The router's port mapping daemon. `igd` holds at least one protocol.
Daemon port_mapper(const Igd& igd, bool ipv6);

}  // namespace p2pdiag::lab
