// Which name servers this machine is configured to ask: resolv.conf(5), and what stands behind the
// stubs that systemd-resolved and NetworkManager put there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"

namespace p2pdiag::net {

struct NameServer {
    IpAddress address;
    std::string zone;         // interface of a link-local address; else empty
    std::uint16_t port = 53;  // RFC 1035 section 4.2

    friend bool operator==(const NameServer&, const NameServer&) = default;
    std::string to_string() const;  // "192.168.1.1", "fe80::1%eth0"
};

struct ResolvConf {
    std::vector<NameServer> servers;  // in their order, without duplicates, at most 8
    std::vector<std::string> search;  // printable, at most 32
    unsigned ndots = 1;               // as resolv.conf(5) bounds it: at most 15
    unsigned timeout_s = 5;           // at most 30
    unsigned attempts = 2;            // at most 5
};

// The C library uses the first three of the servers. Lines that it would not understand are left
// out. Pure.
ResolvConf parse_resolv_conf(std::string_view text);

struct ResolverSetup {
    ResolvConf
        configured;  // /etc/resolv.conf; where it names no server, the C library asks 127.0.0.1
    // The servers that a stub on this machine asks in turn; empty where there is none, or where its
    // configuration cannot be seen.
    std::vector<NameServer> behind_stub;
    std::string stub;  // "systemd-resolved" or "NetworkManager", or empty
};

ResolverSetup resolver_setup();

}  // namespace p2pdiag::net
