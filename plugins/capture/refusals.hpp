// Which refusals are part of how a protocol goes.
#pragma once

#include "evidence.hpp"
#include "wire/dns/message.hpp"

namespace p2pdiag::capture_plugin {

// RFC 6886 section 3.5, RFC 6887 section 7.4: "unsupported version" is 1 in both.
inline constexpr int port_control_version_code = 1;

inline bool is_stun(const RefusalKey& key) {
    return key.protocol == Protocol::stun || key.protocol == Protocol::turn;
}

// RFC 8489 sections 9.2.4 and 9.2.5: the first request has no credentials, and a nonce grows old.
inline bool is_challenge(const RefusalKey& key) {
    constexpr int unauthenticated = 401;
    constexpr int stale_nonce = 438;
    return is_stun(key) && (key.code == unauthenticated || key.code == stale_nonce);
}

// The client is to go on from here, and nothing is wrong once it has.
inline bool is_step(const RefusalKey& key) {
    constexpr int try_alternate = 300;  // RFC 8489 section 10
    constexpr int role_conflict = 487;  // RFC 8445 section 7.2.5.1
    if (key.protocol == Protocol::natpmp || key.protocol == Protocol::pcp) {
        return key.code == port_control_version_code;
    }
    return is_challenge(key) ||
           (is_stun(key) && (key.code == try_alternate || key.code == role_conflict));
}

inline bool is_missing_name(const RefusalKey& key) {
    return key.protocol == Protocol::dns &&
           key.code == static_cast<int>(dns::ResponseCode::name_error);
}

}  // namespace p2pdiag::capture_plugin
