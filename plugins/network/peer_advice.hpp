// Is this address one by which a peer can be reached from here? Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/interfaces.hpp"

namespace p2pdiag::network_plugin {

struct OwnAddresses {
    std::vector<net::Interface> interfaces;
    std::vector<IpAddress> seen_outside;  // as STUN servers saw this machine
    std::optional<bool> hairpin;          // the NAT leads back in what goes to those
};

enum class Advice {
    none,               // nothing speaks against it
    loopback,           // this machine itself, whichever machine that is
    own_address,        // of this machine
    own_public,         // of this machine's own network, seen from outside
    private_elsewhere,  // private, and of none of this machine's networks
    carrier_elsewhere,  // 100.64.0.0/10, likewise
    link_local,         // means nothing without the link it belongs to
    no_host             // unspecified, multicast, broadcast: no address of a host
};
std::string_view to_string(Advice advice);  // "private-elsewhere"; empty for none

Advice advise(const IpAddress& peer, const OwnAddresses& own);

// A sentence for people; empty for none.
std::string words_of(Advice advice, const IpAddress& peer, const OwnAddresses& own);

}  // namespace p2pdiag::network_plugin
