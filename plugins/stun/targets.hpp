// From configured server names to what a discovery can be started with.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "discovery.hpp"
#include "servers.hpp"
#include "verdict.hpp"

namespace p2pdiag::nat {

struct Targets {
    std::vector<ServerConfig> servers;
    Reason why_none = Reason::no_server;  // said only where there are none
};

struct BothFamilies {
    Targets ipv4;
    Targets ipv6;
};

// Servers for TLS alone are left out. Waits two seconds at most, and less long for the rest once
// the first IPv4 address is known.
boost::asio::awaitable<BothFamilies> find_targets(std::vector<stun_plugin::ServerName> servers);

}  // namespace p2pdiag::nat
