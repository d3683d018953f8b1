// Hashes that the STUN and TURN protocols ask for. They protect a message against a router that
// meddles, not against a cryptographer: nothing else may be built on SHA-1 or MD5.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace p2pdiag::crypto {

std::array<std::uint8_t, 20> hmac_sha1(ByteView key, ByteView data);  // RFC 2104

// The key of MESSAGE-INTEGRITY under long-term credentials, RFC 8489 section 9.2.2:
// "key = MD5(username ":" OpaqueString(realm) ":" OpaqueString(password))". The three are UTF-8 and
// taken as they are; OpaqueString changes nothing in text without unusual spaces. Nothing (empty)
// where this system's OpenSSL refuses MD5, as in FIPS mode.
Bytes long_term_key(std::string_view username, std::string_view realm, std::string_view password);

}  // namespace p2pdiag::crypto
