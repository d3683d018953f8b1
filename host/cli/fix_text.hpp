// What `fix` found, did and reached, for people.
#pragma once

#include <string>
#include <vector>

#include "fix/fixing.hpp"

namespace p2pdiag::cli {

// All of them end with a newline. Nothing that a plugin wrote can steer the terminal; without
// `unicode` they are ASCII.

// What is wrong before anything is done, and how each remedy would go about it; or that there is
// none.
std::string fix_plan_text(const report::Report& before, const std::vector<fix::Attempt>& attempts,
                          bool unicode);

// What nobody can do from here: the remedies that are left to people.
std::string left_to_people_text(const report::Report& report, bool unicode);

// What became of each remedy, before and after side by side, and the way back.
std::string fix_result_text(const report::Report& before, const report::Report* after,
                            const std::vector<fix::Attempt>& attempts,
                            const std::string& undo_command, bool unicode);

}  // namespace p2pdiag::cli
