// Inside of the STUN codec: attribute types, and the pieces that reading and writing share.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/stun/message.hpp"

namespace p2pdiag::stun {

enum class Attribute : std::uint16_t {
    // RFC 8489 section 18.3.1, comprehension-required.
    mapped_address = 0x0001,
    username = 0x0006,
    message_integrity = 0x0008,
    error_code = 0x0009,
    unknown_attributes = 0x000A,
    realm = 0x0014,
    nonce = 0x0015,
    message_integrity_sha256 = 0x001C,
    xor_mapped_address = 0x0020,
    // RFC 8489 section 18.3.2, comprehension-optional.
    software = 0x8022,
    alternate_server = 0x8023,
    fingerprint = 0x8028,
    // RFC 5780 section 9.1.
    change_request = 0x0003,
    padding = 0x0026,
    response_port = 0x0027,
    response_origin = 0x802b,
    other_address = 0x802c,
    // RFC 3489 section 11.2; reserved since RFC 5389, but old servers send them.
    response_address = 0x0002,
    source_address = 0x0004,
    changed_address = 0x0005,
    password = 0x0007,
    reflected_from = 0x000B,
    // draft-ietf-behave-rfc3489bis-02, before the attribute had its final number.
    old_xor_mapped_address = 0x8020,
};

// RFC 8489 section 14: each attribute has a type and a length of 16 bits each before its value.
inline constexpr std::size_t attribute_header_size = 4;
// RFC 8489 section 14.5: "the length of the HMAC is 20 bytes".
inline constexpr std::size_t hmac_sha1_size = 20;
// RFC 8489 section 14.7: the CRC-32 is "XOR'ed with the 32-bit value 0x5354554e".
inline constexpr std::uint32_t fingerprint_xor = 0x5354554e;

// RFC 8489 section 14: a value is padded so that the next attribute starts on a 32-bit boundary.
constexpr std::size_t padding_of(std::size_t size) { return (4 - size % 4) % 4; }

std::uint32_t crc32(ByteView bytes);  // ITU-T V.42, as RFC 8489 section 14.7 wants it

// RFC 8489 section 14.2: XOR-MAPPED-ADDRESS is MAPPED-ADDRESS with the port XOR'ed with the upper
// half of the cookie and the address with the cookie and, for IPv6, the transaction id. Its own
// inverse.
Endpoint xor_endpoint(const Endpoint& plain, std::uint32_t cookie, const TransactionId& id);

}  // namespace p2pdiag::stun
