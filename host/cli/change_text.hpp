// What became of a change, for people.
#pragma once

#include <string>
#include <vector>

#include "change/execution.hpp"
#include "change/undo.hpp"

namespace p2pdiag::cli {

// All of them end with a newline. Nothing that a plugin wrote can steer the terminal; without
// `unicode` they are ASCII.
std::string plan_text(const change::Plan& plan, bool unicode);
std::string result_text(const change::Executed& result, bool unicode);
// What would be taken back.
std::string records_text(const std::vector<change::Record>& records, bool unicode);
// What would be forgotten, and may be in place still.
std::string forgetting_text(const std::vector<change::Record>& records, bool unicode);
// After taking back, or forgetting.
std::string undone_text(const std::vector<change::Undone>& all, bool unicode);
// `undo --list`; holders beside the records.
std::string list_text(const std::vector<change::Record>& records,
                      const std::vector<std::optional<pid_t>>& holders, bool unicode);

}  // namespace p2pdiag::cli
