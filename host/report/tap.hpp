// Format tap: TAP 14, https://testanything.org/tap-version-14-specification.html.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string tap(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
