// TURN, bytes -> struct: what RFC 8656 and RFC 6062 add to STUN messages, and ChannelData. Reading
// only. No socket, clock or random number in here.
#pragma once

#include <optional>
#include <string_view>

#include "wire/stun/message.hpp"

namespace p2pdiag::turn {

// RFC 8656 section 17, RFC 6062 section 6.1. "Binding" is STUN's own; "unknown method" otherwise.
std::string_view method_name(stun::Method method);
bool is_turn(stun::Method method);

inline constexpr stun::Method allocate{0x003};
inline constexpr stun::Method refresh{0x004};
inline constexpr stun::Method send{0x006};
inline constexpr stun::Method data{0x007};
inline constexpr stun::Method create_permission{0x008};
inline constexpr stun::Method channel_bind{0x009};

// RFC 8656 section 18: what a message says, of the attributes that the STUN codec leaves raw.
struct Attributes {
    std::optional<Endpoint> peer;     // XOR-PEER-ADDRESS, the first one
    std::optional<Endpoint> relayed;  // XOR-RELAYED-ADDRESS
    std::optional<std::uint16_t> channel;
    std::optional<std::uint32_t> lifetime;  // seconds
    std::size_t data_size = 0;              // bytes of DATA
};
// An attribute with an impossible value counts as absent.
Attributes attributes_of(const stun::Message& message);

// RFC 8656 section 12.4: a channel number of 0x4000 to 0x4FFF, a length, the data. RFC 5766 had
// them up to 0x7FFF.
struct ChannelData {
    std::uint16_t channel = 0;
    ByteView data;
};
// Nothing where it cannot be that. Plenty of other things look like it: ask only where an
// allocation was seen.
std::optional<ChannelData> parse_channel_data(ByteView datagram);

}  // namespace p2pdiag::turn
