// Why it is so, what would help, and every finding with its evidence.
#pragma once

#include <string>

#include "report/report.hpp"

namespace p2pdiag::report::html {

std::string causes_section(const Report& report);    // empty where there is no cause
std::string findings_section(const Report& report);  // empty where there is no finding

}  // namespace p2pdiag::report::html
