// The URLs of UPnP: http, mostly with an address for a host (UPnP Device Architecture 1.1, section
// 2.1; RFC 3986).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace p2pdiag::upnp {

inline constexpr std::size_t max_url = 1024;

struct Url {
    bool secure = false;     // https
    std::string host;        // a name, or an address without brackets and zone
    std::uint16_t port = 0;  // 1 to 65535
    std::string target;      // path and query; visible ASCII, begins with '/'

    std::string authority() const;  // as in a Host header: "1.2.3.4:5000", "[fe80::1]", …
    std::string to_string() const;
};

// Visible ASCII, at most max_url characters, no user name. A fragment is dropped, and the zone of
// an IPv6 address too: whoever connects knows the link.
Result<Url> parse_url(std::string_view text);

// `reference` as it is meant in a document at `base`: a URL, or a path, absolute or not.
Result<Url> resolve(const Url& base, std::string_view reference);

}  // namespace p2pdiag::upnp
