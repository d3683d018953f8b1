// The one headline of a report, from the findings of its checks.
#pragma once

#include <vector>

#include "report/report.hpp"

namespace p2pdiag::diagnosis {

// Never better than what was measured: without a measurement the status is "unknown", and the
// headline says what is missing.
report::Verdict judge(const std::vector<report::CheckResult>& checks);

// The same, made worse by what is likely the cause of trouble: a NAT that lets peers in is of no
// use where this machine's own firewall drops them. `causes` stand in their order.
report::Verdict conclude(const std::vector<report::CheckResult>& checks,
                         const std::vector<report::Cause>& causes);

}  // namespace p2pdiag::diagnosis
