// Format sarif: SARIF 2.1.0 (OASIS).
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string sarif(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
