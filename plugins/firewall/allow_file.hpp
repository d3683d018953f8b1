// Openings that last: in the files from which nftables.service and netfilter-persistent load the
// rules at the start of the machine.
#pragma once

#include "allow_tools.hpp"

namespace p2pdiag::firewall {

// The file from which the step's rules come; empty, with why, when that is not known or p2pdiag
// does not edit it.
std::string file_for(const AllowStep& step, const Sight& sight, Trouble& why);

// The rules that the file of a permanent step would load.
Trouble read_file_rules(const AllowStep& step, const Sight& sight, Ruleset& rules);

// Takes the rule of a step that was not permanent out of the files where somebody saved it.
Trouble revert_saved(const Job& job, bool& found);

// One that p2pdiag edits.
bool is_known_file(const std::string& path);

}  // namespace p2pdiag::firewall
