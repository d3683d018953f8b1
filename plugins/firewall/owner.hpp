// Whose rule it is: the program that wrote it is the one to be asked to change it.
#pragma once

#include <string_view>

#include "state.hpp"

namespace p2pdiag::firewall {

// "ufw", "firewalld", "docker", "podman", "libvirt", "miniupnpd", "kubernetes", "tailscale",
// "fail2ban"; of rules that bear no such mark "nft", "iptables-nft" or "iptables-legacy".
std::string_view owner_of(const Place& place);

}  // namespace p2pdiag::firewall
