// The way without any protocol.
#include "forward_plan.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

std::string transports(const Wanted& wanted) {
    std::string text;
    for (const Transport transport : wanted.transports) {
        if (!text.empty()) text += " and ";
        text += transport == Transport::udp ? "UDP" : "TCP";
    }
    return text;
}

// The pages of the router that packets leave through.
std::string pages_of(const portmap::GatewayReport& gateway, const Search& search) {
    for (const portmap::IgdReport& igd : search.found.igds) {
        if (igd.answer.from != gateway.address || !igd.description || !*igd.description) continue;
        const std::string& url = (**igd.description).presentation_url;
        if (!url.empty()) return url;
    }
    return "http://" + gateway.address.to_string() + "/";
}

const portmap::GatewayReport* way_out(const Search& search) {
    const portmap::GatewayReport* first = nullptr;
    for (const portmap::GatewayReport& gateway : search.found.gateways) {
        if (!gateway.address.is_v4()) continue;
        if (gateway.preferred) return &gateway;
        if (first == nullptr) first = &gateway;
    }
    return first;
}

}  // namespace

std::vector<std::string> manual_steps(const Wanted& wanted, const Search& search) {
    const portmap::GatewayReport* gateway = way_out(search);
    if (gateway == nullptr) {
        return {"This machine has no IPv4 default gateway: connect it to a router first."};
    }
    const std::string local = gateway->local.to_string();
    const std::string port = std::to_string(wanted.port);
    std::vector<std::string> steps;
    steps.push_back("By hand: open " + pages_of(*gateway, search) +
                    " (your router) in a browser and look for port forwarding, virtual server or "
                    "NAT rules.");
    steps.push_back("Add: protocol " + transports(wanted) + ", external port " +
                    std::to_string(wanted.outside_port()) + ", internal address " + local +
                    ", internal port " + port + ".");
    steps.push_back("Give this machine a fixed address (" + local +
                    ") in the router's DHCP settings, or the forward will lead nowhere one day.");
    steps.push_back("Or switch on UPnP, NAT-PMP or PCP there and run this command again.");
    if (search.ipv6) {
        steps.push_back("For IPv6: allow " + transports(wanted) + " port " + port + " to " +
                        search.ipv6->to_string() + " in the router's IPv6 firewall.");
    }
    steps.push_back(
        "Look at the router's outside (WAN, internet) address on its status page. If it begins "
        "with "
        "10., 192.168., 172.16. to 172.31. or 100.64. to 100.127., another NAT stands in front of "
        "it, and this forward alone cannot be reached from the internet: ask the provider for a "
        "public IPv4 address, use IPv6, or use a relay.");
    return steps;
}

}  // namespace p2pdiag::upnp_plugin
