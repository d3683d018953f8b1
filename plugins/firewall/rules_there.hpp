// What can be seen of a ruleset without following a packet: what is there that would act on one.
#pragma once

#include "model.hpp"

namespace p2pdiag::firewall {

// A rule asks for a connection or translates one (nf_ct_netns_get() in nft_ct.c and nft_nat.c of
// the kernel). False: no rule that was understood does; something else may.
bool is_tracking_wanted(const World& world, Family family);

// A base chain that is in force, and not an empty one that lets everything pass.
bool does_something(const Ruleset& ruleset, const Chain& chain);

// Such a chain in a table of the family.
bool has_rules_of(const World& world, TableFamily family);

// Of a chain of ingress or egress. "eth*" stands for every interface whose name begins so.
bool is_on(const Chain& chain, std::string_view device);

}  // namespace p2pdiag::firewall
