// What a router's outside address means, beside the address that STUN servers see. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/json.hpp"

namespace p2pdiag::upnp_plugin {

// What stun.nat found out; nothing where it was not measured.
struct SeenByStun {
    std::vector<IpAddress> addresses;  // IPv4 of this machine as servers see it
    std::optional<bool> behind_nat;
    bool full_cone = false;  // it lets everybody in to whatever has sent something
    // A router with an address of 100.64.0.0/10 on the way: a hint at a provider's NAT, no proof.
    std::optional<IpAddress> carrier_hop;

    // Of a check's input: its needs hold the result of stun.nat.
    static SeenByStun from_input(const json::object& input);
};

enum class Outside {
    not_told,       // the protocol has no word for it, or the router did not answer
    unusable,       // none, 0.0.0.0, loopback: nothing can be forwarded there
    private_use,    // another router is in front
    carrier_grade,  // 100.64.0.0/10: the provider's NAT is in front
    same_as_stun,   // the only NAT on the way
    differs,        // public, but not what servers see
    not_compared    // public, and stun.nat did not say what servers see
};
std::string_view to_string(Outside outside);  // with hyphens

Outside judge_outside(const std::optional<IpAddress>& external, const SeenByStun& seen);

// A forward in this router alone does not make a port reachable from the internet.
bool is_not_reachable(Outside outside);

// What can be done behind a NAT that is not one's own. No line says that a forward would help.
std::vector<std::string> ways_out(Outside outside);

}  // namespace p2pdiag::upnp_plugin
