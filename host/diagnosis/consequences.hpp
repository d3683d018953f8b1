// Findings that are but the consequence of another one, as they are shown.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "report/report.hpp"

namespace p2pdiag::diagnosis {

// By finding, the code of the one that it follows from.
using Consequences = std::unordered_map<const report::Finding*, std::string>;

// They become warnings: "follows_from" in their evidence and the end of their message say of what.
void demote(std::vector<report::CheckResult>& checks, const Consequences& consequences);

// As they were before demote.
void restore_consequences(std::vector<report::CheckResult>& checks);

}  // namespace p2pdiag::diagnosis
