// The handshakes of a run that was recorded, as its recording tells them (docs/user/capture.md).
#pragma once

#include <string>

#include "report/report.hpp"

namespace p2pdiag::report::html {

std::string ladder_section(const Report& report);  // empty where nothing was recorded

}  // namespace p2pdiag::report::html
