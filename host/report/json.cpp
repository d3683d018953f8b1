#include "report/json.hpp"

namespace p2pdiag::report {

std::string json_document(const Report& report, const RenderOptions&) {
    return json::to_pretty_text(json::value(to_json(report)));
}

}  // namespace p2pdiag::report
