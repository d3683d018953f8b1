// The names that a person may type: what completion offers.
#pragma once

#include <vector>

#include "cli/completion.hpp"
#include "cli/context.hpp"

namespace p2pdiag::cli {

std::vector<Candidate> known_checks(const Context& context);
std::vector<Candidate> known_code_words(const Context& context);
std::vector<Candidate> known_profiles(const Context& context);

}  // namespace p2pdiag::cli
