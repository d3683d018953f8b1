// What each check found, and when it ran.
#pragma once

#include <string>

#include "report/report.hpp"

namespace p2pdiag::report::html {

std::string checks_section(const Report& report);

}  // namespace p2pdiag::report::html
