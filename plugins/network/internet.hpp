// Does the internet answer, over which family, and is it the internet? What was tried, and what it
// means. The judging is pure: the report is handed in.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/tcp_trial.hpp"
#include "portal.hpp"

namespace p2pdiag::network_plugin {

// A well-known server, at an address, to which one TCP connection is tried.
struct Landmark {
    Endpoint server;
    std::optional<net::TcpResult> result;  // nothing: it was not waited for
};

struct InternetReport {
    std::vector<Landmark> landmarks;
    std::vector<std::string>
        no_addresses;  // of the profile's list: a name, where an address belongs
    PortalResult portal;
    // Whether the kernel has a way to the internet; nothing = it did not tell.
    std::optional<bool> route_v4, route_v6;
    // The address that packets to the internet would have over IPv6 is a public one.
    bool public_v6 = false;
    // Who did not tell its address on the link while servers were tried by IPv4, and the link: a
    // router on the way; or a server itself, that this machine takes for its neighbour.
    std::optional<IpAddress> silent_gateway;
    std::optional<IpAddress> no_neighbour;
    std::string silent_on;
    // A router on the way whose address on the link this machine was told by hand, so that it never
    // asks for it, and the link.
    std::optional<IpAddress> gateway_by_hand;
    std::string by_hand_on;
    bool interrupted = false;  // before all was known
};

Judgement judge(const InternetReport& report);

}  // namespace p2pdiag::network_plugin
