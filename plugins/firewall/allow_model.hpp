// Rules in the model of this machine that are not there yet: what stops a packet, and what would
// become of it if a rule stood before that. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "allow_opening.hpp"
#include "evaluate.hpp"

namespace p2pdiag::firewall {

// A place among the rules of a World, by numbers that hold in a copy of it, too.
struct Spot {
    std::size_t ruleset = 0;
    std::size_t chain = 0;
    std::optional<std::size_t> rule;  // nothing: behind the last one, where a policy stands

    friend bool operator==(const Spot&, const Spot&) = default;
};

// What stops a packet.
struct Obstacle {
    std::optional<Spot> spot;  // nothing: no rule's doing
    RuleRef rule;              // there
    std::string why;           // where it is no rule's doing
    bool elsewhere = false;    // the packet is on its way to another machine
    std::uint16_t port = 0;    // that it goes to by now
};

struct Stopped {
    std::vector<Obstacle> obstacles;  // more than one where their order is not known
    std::vector<TraceStep> trace;
};

// Of a packet that does not pass, though it is on no list and exceeds no limit; otherwise there are
// none.
Stopped find_obstacles(const World& world, const Packet& packet);

bool is_still_there(const Stopped& stopped, const Obstacle& obstacle);

const Chain& chain_at(const World& world, const Spot& spot);
const Table& table_at(const World& world, const Spot& spot);

// The table is kept by iptables, so that its rules are written in iptables' language.
bool is_of_iptables(const World& world, const Spot& spot);

// Packets that are not for this machine, or not yet known to be, come through there as well.
bool sees_others_packets(const World& world, const Spot& spot);

// The same, or before the rules right there that only log and count: what is let in is not to be
// logged as dropped.
Spot before_the_log(const World& world, const Spot& spot);

// Puts the rule before `spot`.
void insert_rule(World& world, const Spot& spot, const Opening& opening, bool for_this_machine);

// At the end of each chain of that name in a table of that name; how many there are.
std::size_t append_to_chains(World& world, std::string_view table, std::string_view chain,
                             const Opening& opening);

// Where else a packet may have left the chain, so that it came to the policy at `spot` without
// passing the end of that chain: behind a goto, or at a return. The likeliest first.
std::vector<Spot> ways_to_the_policy(const World& world, const Spot& spot,
                                     const std::vector<TraceStep>& trace);

}  // namespace p2pdiag::firewall
