// Lines of ours in the files from which rules come at the start of the machine. Pure: text in, text
// out; everybody else's bytes stay as they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "allow_step.hpp"
#include "ruleset.hpp"

namespace p2pdiag::firewall {

// What was asked for is not in the text, or is there more than once: nothing.
using Edited = std::optional<std::string>;

// Of what iptables-save wrote: the step's rule, before the line step.place.text of its chain, or
// behind the chain's last one.
Edited add_iptables_line(std::string_view text, const AllowStep& step, std::string_view id);

// Of a script of nft: the same within `chain … { … }` of the step's table.
Edited add_nft_line(std::string_view text, const AllowStep& step, std::string_view id);

// Both kinds.
std::string remove_lines(std::string_view text, std::string_view id);

// Whether all that is in `after` and not in `before` is that one rule, in the step's place.
bool is_exact_insertion(const Ruleset& before, const Ruleset& after, const AllowStep& step,
                        std::string_view id);

}  // namespace p2pdiag::firewall
