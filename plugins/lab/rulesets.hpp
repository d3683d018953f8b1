// The nft text that makes a Linux router behave like each kind of NAT.
#pragma once

#include <string>

#include "options.hpp"

namespace p2pdiag::lab {

// Where a NAT stands. Its inside interface is lan0, its outside wan0.
struct NatPlace {
    std::string inside_net;       // CIDR of the addresses it translates
    std::string outside_address;  // what they become
    unsigned lifetime_s = 120;    // how long a silent mapping is remembered
    bool hairpin = false;
};

// Table `ip nat`. Not for Nat::open. UDP behaves as the kind says; TCP gets the nearest that
// conntrack has.
std::string nat_ruleset(Nat kind, const NatPlace& place);

// Table `inet filter` of a router: nothing unsolicited enters from wan0.
struct FilterPlace {
    std::string outside_address;
    Block block;
    // A carrier does not filter IPv6 for its customers; nor does this table where igd_ruleset()
    // does.
    bool routes_ipv6_freely = false;
};
std::string router_filter_ruleset(const FilterPlace& place);

// Table `bridge line`: what befalls packets on the line between the internet and the port of the
// first home.
struct Line {
    std::string port;  // the bridge's interface towards the home
    Block block;       // for a host without a router in front
    double loss_percent = 0;
};
std::string line_ruleset(const Line& line);

// Table `inet client_block`: --block udp-out.
std::string udp_out_ruleset();

// Table `inet resolver_block`: --dns broken. Queries arrive and nothing comes back, not even an
// ICMP error.
std::string silent_resolver_ruleset();

// Table `inet black_hole`: the router tells nobody that a packet is too big for its routes.
std::string silent_mtu_ruleset();

// Table `inet portal`: every page comes from the router's own web server; nothing else leaves the
// home but queries for names.
std::string portal_ruleset();

// Table `inet igd`: the chains that miniupnpd fills, the filter for IPv6 with its pinholes, and
// drops for the protocols that are not wanted.
std::string igd_ruleset(const Igd& igd);

}  // namespace p2pdiag::lab
