// firewalld's panic mode, in which everything is dropped: by the policies of a table that stands
// for a moment while firewalld reloads as well.
#pragma once

#include <string>

#include "evaluate.hpp"
#include "readers.hpp"

namespace p2pdiag::firewall {

inline constexpr const char* end_of_panic = "firewall-cmd --panic-off";

// A rule or policy of that table.
bool is_of_panic(const RuleRef& rule);

// Asks firewalld where `world` has the table: sets World::panic.
void read_panic(const Sight& sight, World& world);

// What such a policy means here, and what ends it: a sentence or more.
std::string about_panic(const World& world);

}  // namespace p2pdiag::firewall
