// Format json: exactly one document, as docs/report.schema.json says.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string json_document(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
