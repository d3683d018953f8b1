// The way to the internet as a drawing, and the same in words.
#pragma once

#include <string>

#include "report/report.hpp"

namespace p2pdiag::report::html {

std::string path_section(const Report& report);

}  // namespace p2pdiag::report::html
