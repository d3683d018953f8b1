// What `forward add` found out before it plans: routers, who has the port, what was forwarded
// before. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "forward_step.hpp"
#include "gateways.hpp"
#include "wanted.hpp"

namespace p2pdiag::upnp_plugin {

// Who has an external port of a router, as it said when asked for that very port.
struct Lookup {
    std::string control_url;
    Transport transport = Transport::udp;
    std::uint16_t external_port = 0;
    std::optional<portmap::IgdMapping> holder;  // nothing = nobody, if `known`
    bool known = true;
};

// The last verification of a forward, as the journal has it.
struct Verified {
    std::string method;  // "packet" or "read-back"
    Endpoint external;
    bool at_program = false;  // the packet came further than this machine's network interface
};

// A forward that this program made earlier and has not taken back.
struct OpenForward {
    std::string id;
    Step step;
    std::optional<Record> record;
    std::optional<std::int64_t> held_by;  // the process that keeps it up or works on it
    portmap::InForce in_force = portmap::InForce::unknown;
    bool lease_is_over = false;
    // Whoever has its router's address now is another router.
    bool router_is_another = false;
    bool begun_only = false;  // never said to be done: the command was ended before, or goes on
    std::optional<Verified> verified = std::nullopt;

    // What made it, or may have; null when none was begun.
    const Attempt* attempt() const;
    // … and how it was asked for.
    std::optional<Try> made_by() const;
};

struct Situation {
    Search search;
    std::vector<Lookup> lookups;
    std::vector<OpenForward> open;
    // Of upnp.mapping, whose mappings are removed before anything is asked for.
    std::vector<std::string> test_ids = {};
};

// The offers that would be used, most wanted first.
struct Choice {
    std::vector<Offer> all;  // also those that would not be
    std::vector<Offer> mappings;
    std::vector<Offer> pinholes;
};
Choice choose(const Wanted& wanted, const Search& search);

bool is_usable(const Offer& offer);

// Ports offered in place of one that is taken.
inline constexpr unsigned most_alternatives = 4;

const Lookup* find_lookup(const Situation& situation, const std::string& control_url,
                          Transport transport, std::uint16_t port);

bool leads_to(const portmap::IgdMapping& mapping, const IpAddress& address, std::uint16_t port);

// Which ports to look up before planning: of the first UPnP router that would be asked, the wanted
// one, and where it is somebody else's the next ones, to offer one of them. Empty = enough is
// known.
std::vector<Lookup> lookups_to_make(const Wanted& wanted, const Situation& situation);

}  // namespace p2pdiag::upnp_plugin
