// Format console: for people, at a terminal.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string console(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
