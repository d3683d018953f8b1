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

// Names below "lab", and ipv4only.arpa (RFC 7050), with Dns::nat64 as beside a NAT64. Every other
// name does not exist; with Dns::lying it is an address that nobody has.
Daemon name_server(bool ipv6, Dns dns);

// HTTP on port 80 and the bare acceptance of connections on port 443, of both addresses of the
// server: /generate_204 is what its path says. Its clock is `ahead_s` seconds ahead.
Daemon web_server(bool ipv6, int ahead_s);

// The login page of a router, on its port 8080 inside: every request is led there.
Daemon portal_page();
inline constexpr std::uint16_t portal_port = 8080;

// The router's port mapping daemon. `igd` holds at least one protocol.
Daemon port_mapper(const Igd& igd, bool ipv6);

}  // namespace p2pdiag::lab
