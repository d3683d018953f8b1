// The one headline of a report, from the findings of its checks.
#pragma once

#include <vector>

#include "report/report.hpp"

namespace p2pdiag::diagnosis {

// Never better than what was measured: without a measurement the status is "unknown", and the
// headline says what is missing.
report::Verdict judge(const std::vector<report::CheckResult>& checks);

}  // namespace p2pdiag::diagnosis
