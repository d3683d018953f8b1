// Reports for the tests of the formats.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/report.hpp"

namespace p2pdiag::report {

CheckResult check(std::string id, Status status, std::string summary);
Finding finding(std::string code, Severity severity, std::string check, std::string message);

Report empty_report();
Report all_statuses();
Report diagnosed();    // with causes and remedies
Report compared();     // with an earlier one; a cause that is not certain
Report interrupted();  // ended early
Report recorded();     // with --capture, and delays; not among all_samples
Report hostile();      // every string is one that a network or plugin might send to do harm

std::vector<std::pair<std::string, Report>> all_samples();

}  // namespace p2pdiag::report
