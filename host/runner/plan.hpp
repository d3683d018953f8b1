// Which checks a run holds, and in which order they may start.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

// A glob that matches no check, which is a typing error more often than not.
struct Unmatched {
    std::string message;  // with the check that was perhaps meant
    // Rather one of a plugin that is not loaded, as far as one can tell.
    bool absent_plugin = false;
};
std::optional<Unmatched> unmatched(const loader::Plugins& plugins, const std::string& glob);

// A check that is needed comes along even if it was not chosen, unless it was skipped.
Plan make_plan(const loader::Plugins& plugins, const Selection& selection);

}  // namespace p2pdiag::runner
