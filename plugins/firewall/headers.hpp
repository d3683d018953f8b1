// The bits of a packet's headers, with those that nobody knows marked.
#pragma once

#include "state.hpp"

namespace p2pdiag::firewall {

struct Bitfield {
    Known bits;
    bool may_be_absent = false;  // past the end of what every such packet has
};

// `payload.length` bits from `payload.offset` of its header, whatever the payload's conditions say.
Bitfield read_header(const Packet& packet, const State& state, const Payload& payload);

// What a person calls the field, for "depends on …".
std::string describe(const Packet& packet, const Payload& payload);

// Covers an address, a port or the protocol number.
bool is_identity(const Packet& packet, const Payload& payload);

}  // namespace p2pdiag::firewall
