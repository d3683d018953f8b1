// Reads one file of rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/rule.hpp"
#include "profile/profile.hpp"

namespace p2pdiag::diagnosis {

using Problems = std::vector<profile::Problem>;

// In all files together.
inline constexpr std::size_t most_rules = 2000;

// Adds the rules of `text` to `rules`, and to `problems` what is wrong with it: unknown keys with
// the nearest one, wrong types, missing keys. A rule with a problem is added as far as it goes, so
// that what refers to it is not reported as well.
void read_rules(std::string_view text, const std::string& file, Rules& rules, Problems& problems);

}  // namespace p2pdiag::diagnosis
