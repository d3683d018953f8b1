// Format junit: JUnit XML.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string junit(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
