// A port mapping by whichever protocol: what the port-forwarding verb and hole punching use.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "net/portmap/types.hpp"

namespace p2pdiag::net::portmap {

// Makes the mapping. UPnP: looks first who has the external port (somebody else: Problem::conflict
// with Failure::text naming the owner; nothing is touched), retries 725 and 402 with a permanent
// lease (the grant says 0) unless MapRequest::lease_only, reads back; one that is granted and not
// listed is left alone, and MapGrant::unlisted says so. IPv6 services open a pinhole.
// Never deletes anything that it did not make.
boost::asio::awaitable<Outcome<MapGrant>> add_mapping(Service service, MapRequest request);

// The same mapping for another lifetime.
boost::asio::awaitable<Outcome<MapGrant>> renew_mapping(Service service, MapRequest request,
                                                        MapGrant grant);

// Takes it back if it is still ours: UPnP compares internal address, port and description first.
// A mapping that is gone already counts as removed. `grant` may be missing after a crash: then it
// is searched by what was asked.
boost::asio::awaitable<Outcome<void>> remove_mapping(Service service, MapRequest request,
                                                     std::optional<MapGrant> grant);

// Of a grant that is `unlisted`, where nothing shows that it is in force.
Failure not_listed();

enum class InForce {
    yes,      // the router lists it, for this machine
    no,       // it does not, or has switched it off
    foreign,  // it lists the port for somebody else
    unknown   // the protocol cannot tell, no answer, or never was listed (MapGrant::unlisted)
};
struct ReadBack {
    InForce in_force = InForce::unknown;
    std::optional<Seconds> remaining;
    bool switched_off = false;  // no: listed for this machine, with NewEnabled 0
    std::string owner;  // foreign: address and description
    std::string detail;
};
// GetSpecificPortMappingEntry, CheckPinholeWorking; NAT-PMP and PCP can only be asked for the same
// mapping again, which is a renewal: unknown here.
boost::asio::awaitable<ReadBack> read_back(Service service, MapRequest request, MapGrant grant);

}  // namespace p2pdiag::net::portmap
