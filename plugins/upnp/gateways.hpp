// What a search for routers means: findings, data and status of upnp.gateways. Pure.
#pragma once

#include <p2pdiag/judgement.hpp>

#include "net/portmap/discovery.hpp"
#include "offers.hpp"
#include "outside.hpp"

namespace p2pdiag::upnp_plugin {

struct Search {
    portmap::Discovered found;
    bool complete = true;           // false when it was cut short
    std::optional<IpAddress> ipv6;  // this machine's own public address
    SeenByStun seen;
    std::uint16_t target_port = 0;         // that the program is called at; 0 = none
    std::vector<IpAddress> own_addresses;  // of this machine; none = not known
};

struct OwnForward;  // own_forwards.hpp

Judgement judge_gateways(const Search& search);
// … and of what this program forwarded earlier.
Judgement judge_gateways(const Search& search, const std::vector<OwnForward>& own);

// The data member of upnp.gateways (docs/checks/upnp.gateways.md), without the conclusions.
json::object gateways_data(const Search& search);

// A mapping as the data of a check and `forward list` show it. The nonce of a PCP client, which
// some routers write into the description, is a secret and left out.
json::object mapping_to_json(const portmap::IgdMapping& mapping);
bool shows_pcp_nonce(const portmap::IgdMapping& mapping);
std::string shown_description(const portmap::IgdMapping& mapping);

}  // namespace p2pdiag::upnp_plugin
