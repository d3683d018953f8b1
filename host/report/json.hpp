// Format json: exactly one document, as docs/report.schema.json says.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

std::string json_document(const Report& report, const RenderOptions& options);

// The document where there is no report, with why and the exit code of the program.
std::string json_error(std::string_view why, int code);

}  // namespace p2pdiag::report
