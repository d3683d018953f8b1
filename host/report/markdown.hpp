// Format markdown: GitHub-flavoured Markdown.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string markdown(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
