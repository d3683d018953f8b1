// Format prometheus: the text format 0.0.4, for node_exporter's textfile collector.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string prometheus(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
