// What `forward add` would do. Pure: what was found out is handed in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "forward_step.hpp"
#include "gateways.hpp"
#include "judgement.hpp"

namespace p2pdiag::upnp_plugin {

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

// Who has an external port of a router, as it said when asked for that very port.
struct Lookup {
    std::string control_url;
    Transport transport = Transport::udp;
    std::uint16_t external_port = 0;
    std::optional<portmap::IgdMapping> holder;  // nothing = nobody, if `known`
    bool known = true;
};

// A forward that this program made earlier and has not taken back.
struct OpenForward {
    std::string id;
    Step step;
    std::optional<Record> record;
    portmap::InForce in_force = portmap::InForce::unknown;
    bool lease_is_over = false;
};

struct Situation {
    Search search;
    std::vector<Lookup> lookups;
    std::vector<OpenForward> open;
};

using NonceSource = std::function<portmap::PcpNonce()>;

// PASS with data {"steps", "notes"}, SKIP, FAIL with findings and notes, or UNKNOWN.
Judgement make_plan(const Wanted& wanted, const Situation& situation, const NonceSource& nonces);

// Which ports to look up before planning: of the first UPnP router that would be asked, the wanted
// one, and where it is somebody else's the next ones, to offer one of them. Empty = enough is
// known.
std::vector<Lookup> lookups_to_make(const Wanted& wanted, const Situation& situation);

// How to do it by hand, with this machine's own addresses.
std::vector<std::string> manual_steps(const Wanted& wanted, const Search& search);

}  // namespace p2pdiag::upnp_plugin
