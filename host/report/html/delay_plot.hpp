// How long answers took, as a drawing and in numbers.
#pragma once

#include <string>

#include "report/report.hpp"

namespace p2pdiag::report::html {

std::string delay_section(const Report& report);  // empty where nothing was measured

}  // namespace p2pdiag::report::html
