// What the lab needs of a machine.
#pragma once

#include <optional>
#include <string>

#include "topology.hpp"

namespace p2pdiag::lab {

// `p2pdiag lab check`: a table of what is there on stdout; what is missing on stderr. 0 or
// exit_unavailable.
int check_machine();

// A sentence naming the programs that `topology` needs and that are not installed.
std::optional<std::string> missing_programs(const Topology& topology);

}  // namespace p2pdiag::lab
