// Which checks a run holds, and in which order they may start.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "loader/loader.hpp"

namespace p2pdiag::runner {

struct Selection {
    std::vector<std::string> checks;  // ids, globs or "all"; empty = "all"
    std::vector<std::string> only;    // globs: keep these
    std::vector<std::string> skip;    // globs: leave these out
    bool deep = false;
};

// Ids, each after the checks it needs.
struct Plan {
    std::vector<std::string> order;
    // Checks that were chosen, but need themselves along some circle: a plugin's fault, and never
    // run.
    std::vector<std::string> circular;
};

// What is wrong with the selection, for the person who typed it.
struct PlanError {
    std::string message;
};

// What is wrong with a glob that no check matches, and which one was perhaps meant. A check of a
// plugin that was refused may well have been meant.
std::optional<std::string> wrong_glob(const loader::Plugins& plugins, const std::string& glob);

// A check that is needed comes along even if it was not chosen, unless it was skipped. A wrong
// glob is an error.
boost::system::result<Plan, PlanError> make_plan(const loader::Plugins& plugins,
                                                 const Selection& selection);

}  // namespace p2pdiag::runner
