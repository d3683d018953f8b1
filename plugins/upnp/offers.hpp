// Who could let a port through, out of all that answered a search. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/portmap/discovery.hpp"

namespace p2pdiag::upnp_plugin {

namespace portmap = net::portmap;

// One way to ask one router.
struct Offer {
    portmap::Service service;
    std::string interface_name;  // of the link towards it; empty = not known
    bool pinhole = false;        // opens an IPv6 firewall rather than mapping a port
    bool preferred = false;      // packets to the internet leave through this router
    bool ready = true;           // else it answered, but will not do it, or
    bool undecided = false;      // … did not say whether it will: silence, or no sense
    std::string why_not;
    std::optional<portmap::Problem> problem;  // behind `why_not`, where the router named one
    std::optional<IpAddress> external;        // the router's outside address, as it says or another
                                              // protocol of the same router does
    std::string router_name;  // maker and model where they are known, else the address
    std::string udn;          // by which UPnP knows the device; empty for other protocols
    std::string presentation_url;
};

// Most wanted first: routers on the way to the internet, then UPnP, PCP, NAT-PMP (README.md says
// why). `ipv6` is this machine's own public address, which pinholes lead to; without one there are
// no offers of pinholes.
std::vector<Offer> offers(const portmap::Discovered& found, const std::optional<IpAddress>& ipv6);

// The offer of a port mapping whose outside address counts: of the router on the way to the
// internet, and one that tells it where there is any. Null without offers of mappings.
const Offer* leading(const std::vector<Offer>& all);

// A mapping from another protocol's or an earlier search's point of view: of the same router?
bool same_router(const portmap::Service& a, const portmap::Service& b);

// "UPnP", "NAT-PMP", "PCP".
std::string_view display_name(portmap::Protocol protocol);

// The finding that says that it works: "portmap.upnp", …
std::string_view code_of(portmap::Protocol protocol);

// Whether the failure is an answer of the router's, rather than silence.
bool is_answer(portmap::Problem problem);

// … and one that says no. Nonsense may come from a router that would do it, or has done it.
bool says_no(portmap::Problem problem);

// A default gateway that answered the search and whose description was not read, so that it is not
// known whether it maps ports: which one and why. Nothing where there is none.
std::optional<std::string> unread_router(const portmap::Discovered& found);

// miniupnpd answers over IPv6 from each of its addresses and names its global one, which is taken
// from nowhere but there. It is one device.
bool is_repetition(const portmap::IgdReport& igd, const portmap::Discovered& found);

// "refused (606: Action not authorized)".
std::string words(const portmap::Failure& failure);

}  // namespace p2pdiag::upnp_plugin
