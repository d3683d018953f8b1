// firewall.inbound, without the machine: which packets to ask about, and what the verdicts mean.
#pragma once

#include <p2pdiag/plugin.hpp>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "evaluate.hpp"

namespace p2pdiag::firewall {

struct Finding {
    std::string code;
    Severity severity = Severity::info;
    std::string message;
    json::object evidence;
};

struct Judgement {
    p2pdiag_status status = P2PDIAG_UNKNOWN;
    std::string summary;
    std::vector<Finding> findings;
    json::object data;
};

// One way that peers' packets come in.
struct Entrance {
    std::string interface;
    IpAddress address;  // of this machine
};

// At most this many are judged.
inline constexpr std::size_t max_entrances = 8;

// The interfaces by which peers reach this machine: those that default routes lead to; where there
// are none, each that works. One address of each family of each.
std::vector<Entrance> find_entrances(const World& world);

// `port` of every entrance, by UDP and TCP, asked for a sender whom nobody knows.
Judgement judge_inbound(const World& world, std::uint16_t port);

}  // namespace p2pdiag::firewall
