#include "report/json.hpp"

namespace p2pdiag::report {

std::string json_document(const Report& report, const RenderOptions&) {
    return json::to_pretty_text(json::value(to_json(report)));
}

std::string json_error(std::string_view why, int code) {
    return json::to_pretty_text(
        json::object{{"format_version", format_version},
                     {"error", json::object{{"exit_code", code}, {"message", why}}}});
}

}  // namespace p2pdiag::report
