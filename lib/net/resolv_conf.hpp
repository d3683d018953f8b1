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
    // The first so many of them are asked: the C library takes three lines (resolv.conf(5), MAXNS),
    // duplicates among them, and never asks the others.
    std::size_t asked = 0;
    std::vector<std::string> search;  // printable, at most 32
    unsigned ndots = 1;               // as resolv.conf(5) bounds it: at most 15
    unsigned timeout_s = 5;           // at most 30
    unsigned attempts = 2;            // at most 5
};

// Lines that the C library would not understand are left out. Pure.
ResolvConf parse_resolv_conf(std::string_view text);

struct ResolverSetup {
    ResolvConf configured;  // /etc/resolv.conf
    // It names no server, or is not there, and 127.0.0.1 stands in its place: resolv.conf(5), "the
    // default is to use the name server on the local machine".
    bool by_default = false;
    // The servers that a stub on this machine asks in turn; empty where there is none, or where its
    // configuration cannot be seen.
    std::vector<NameServer> behind_stub;
    std::string stub;  // "systemd-resolved" or "NetworkManager", or empty
};

ResolverSetup resolver_setup();

}  // namespace p2pdiag::net
