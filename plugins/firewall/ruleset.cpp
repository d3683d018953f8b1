#include "ruleset.hpp"

namespace p2pdiag::firewall {

std::string_view to_string(TableFamily family) {
    switch (family) {
        case TableFamily::ip: return "ip";
        case TableFamily::ip6: return "ip6";
        case TableFamily::inet: return "inet";
        case TableFamily::netdev: return "netdev";
        case TableFamily::bridge: return "bridge";
        case TableFamily::arp: return "arp";
        case TableFamily::other: break;
    }
    return "?";
}

std::string_view to_string(Hook hook) {
    switch (hook) {
        case Hook::ingress: return "ingress";
        case Hook::prerouting: return "prerouting";
        case Hook::input: return "input";
        case Hook::forward: return "forward";
        case Hook::output: return "output";
        case Hook::postrouting: return "postrouting";
        case Hook::egress: break;
    }
    return "egress";
}

std::string_view to_string(Source source) {
    switch (source) {
        case Source::nft: return "nft";
        case Source::iptables_nft: return "iptables-nft";
        case Source::iptables_legacy: break;
    }
    return "iptables-legacy";
}

std::string Table::title() const { return std::string(to_string(family)) + ' ' + name; }

}  // namespace p2pdiag::firewall
