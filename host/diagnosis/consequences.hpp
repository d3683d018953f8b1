// One trouble makes many checks fail: which findings are but the consequence of another one.
#pragma once

#include <vector>

#include "report/report.hpp"

namespace p2pdiag::diagnosis {

// Errors that another error among the findings explains become warnings: "follows_from" in their
// evidence and the end of their message say of what. The statuses of the checks stay.
void demote_consequences(std::vector<report::CheckResult>& checks);

}  // namespace p2pdiag::diagnosis
