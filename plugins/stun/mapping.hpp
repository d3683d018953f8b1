// RFC 5780 section 4.3: what the NAT's mapping depends on.
#pragma once

#include "verdict.hpp"

namespace p2pdiag::nat {

struct MappingVerdict {
    Field<Dependence> mapping;
    bool varies = false;
};

// From what the destinations saw of one socket.
MappingVerdict classify_mapping(const std::vector<Destination>& destinations);

// What the destinations saw of the sockets of `role`. Destinations inside the carrier's or the
// home's network (they see no public address) are left out where others are outside.
std::vector<Destination> destinations_of(const Observations& seen, Role role);

// From the mapping socket, unless another socket or a second answer contradicts it. Only what went
// out from one local address is compared. Reason::servers_disagree where servers of different names
// see different public addresses and no server by itself sees two: then the packets went different
// ways, or a server is mistaken, and no NAT has shown that its mapping varies.
MappingVerdict judge_mapping(const Observations& seen);

// Answered; or so often not that loss cannot be why; or never to be sent again.
bool is_settled(const Observations& seen, const Probe& probe);

// No further answer would change `verdict`, which is what judge_mapping() says, or none will come.
bool mapping_settled(const Observations& seen, const MappingVerdict& verdict);

}  // namespace p2pdiag::nat
