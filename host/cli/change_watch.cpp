#include "cli/change_watch.hpp"

#include <unistd.h>

#include <ctime>

#include "base/fd.hpp"
#include "cli/terminal.hpp"
#include "report/text.hpp"

namespace p2pdiag::cli {

namespace {

std::string_view words_for(std::string_view function) {
    if (function == "plan") return "Finding out what is to be done: ";
    if (function == "apply") return "Doing: ";
    if (function == "verify") return "Verifying: ";
    if (function == "revert") return "Taking back: ";
    return "Keeping up until Ctrl-C: ";
}

std::string time_of_day() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    if (::localtime_r(&now, &parts) == nullptr) return "--:--:--";
    char text[16];
    std::strftime(text, sizeof text, "%H:%M:%S", &parts);
    return text;
}

bool is_shown(std::string_view function, const std::string& level, bool verbose) {
    if (verbose || level == "warning" || level == "error") return true;
    return function == "keep" && level != "debug";
}

}  // namespace

void note(std::string_view text) { write_all(STDERR_FILENO, text); }

std::function<int()> count_interrupts(SignalWatch& signals, const char* text) {
    return [&signals, text, heard = false]() mutable {
        const int count = signals.count();
        if (count > 0 && !heard) note(text);
        heard = heard || count > 0;
        return count;
    };
}

change::Events watch_change(const Context& context, bool several) {
    const bool unicode = use_unicode(context.environment);
    const bool verbose = context.globals.verbose;
    change::Events events;
    events.on_begin = [unicode](std::string_view function, const std::string& title) {
        note(report::single_line(std::string(words_for(function)) + title, unicode) + '\n');
    };
    events.on_said = [unicode, verbose, several](std::string_view function,
                                                 const std::string& title,
                                                 const runner::LogLine& line) {
        if (!is_shown(function, line.level, verbose)) return;
        const std::string whose = several ? title + ": " : std::string();
        const std::string level = line.level == "info" ? "" : line.level + ": ";
        note(time_of_day() + ' ' + report::single_line(whose + level + line.text, unicode) + '\n');
    };
    return events;
}

}  // namespace p2pdiag::cli
