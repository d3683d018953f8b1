// Format html: one page that needs nothing else, without scripts.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string html_document(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
