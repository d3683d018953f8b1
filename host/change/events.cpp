#include "change/events.hpp"

namespace p2pdiag::change {

void Events::begin(std::string_view function, const std::string& title) const {
    if (on_begin) on_begin(function, title);
}

runner::Listeners Events::listeners(const std::string& function, const std::string& title) const {
    runner::Listeners listeners;
    if (!on_said) return listeners;
    listeners.on_log = [said = on_said, function, title](const runner::LogLine& line) {
        said(function, title, line);
    };
    if (function == "keep") {
        listeners.on_summary = [said = on_said, function, title](const std::string& text) {
            said(function, title, {.check = {}, .level = "info", .text = text});
        };
    }
    return listeners;
}

}  // namespace p2pdiag::change
