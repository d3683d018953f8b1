// What `forward add` was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/transport.hpp"
#include "net/portmap/types.hpp"

namespace p2pdiag::upnp_plugin {

namespace portmap = net::portmap;

struct Wanted {
    std::uint16_t port = 0;                 // of this machine
    std::optional<std::uint16_t> external;  // exactly this one, where it was named
    std::vector<Transport> transports;
    portmap::Seconds lease{7200};
    std::optional<portmap::Protocol> via;  // nothing = whichever works

    std::uint16_t outside_port() const { return external.value_or(port); }

    // The arguments of the command; nothing when they are not what its schema lets through.
    static std::optional<Wanted> parse(const json::object& arguments);
};

// "for 2 h".
std::string duration_text(portmap::Seconds lease);

}  // namespace p2pdiag::upnp_plugin
