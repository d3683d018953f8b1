#include "report/console_style.hpp"

namespace p2pdiag::report {

std::string coloured(std::string_view text, std::string_view colour, const RenderOptions& options) {
    if (!options.colour || text.empty() || colour.empty()) return std::string(text);
    return std::string(colour) + std::string(text) + std::string(sgr::plain);
}

Mark mark_of(Status status) {
    switch (status) {
        case Status::pass: return {"✓", "+", sgr::green, ""};
        case Status::warn: return {"!", "!", sgr::yellow, ""};
        case Status::fail: return {"✗", "x", sgr::red, ""};
        case Status::skip: return {"-", "-", sgr::dim, "skipped"};
        case Status::unknown: return {"?", "?", sgr::yellow, "unknown"};
        case Status::error: return {"E", "E", sgr::red, "error"};
        case Status::crashed: return {"E", "E", sgr::red, "crashed"};
        case Status::timed_out: return {"E", "E", sgr::red, "timed out"};
        case Status::cancelled: break;
    }
    return {"-", "-", sgr::dim, "cancelled"};
}

Mark mark_of(Severity severity) {
    switch (severity) {
        case Severity::info: return {"i", "i", sgr::dim, ""};
        case Severity::warning: return mark_of(Status::warn);
        case Severity::error: break;
    }
    return mark_of(Status::fail);
}

std::string symbol(const Mark& mark, const RenderOptions& options) {
    return coloured(options.unicode ? mark.symbol : mark.ascii, mark.colour, options);
}

}  // namespace p2pdiag::report
