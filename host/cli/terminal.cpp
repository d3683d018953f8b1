#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"

namespace p2pdiag::cli {

bool use_colour(int fd, const std::string& wish, const Environment& environment) {
    if (wish == "always") return true;
    if (wish == "never" || environment("NO_COLOR") || environment("TERM") == "dumb") return false;
    return ::isatty(fd) == 1;
}

bool use_unicode(const Environment& environment) {
    // POSIX: the first of these that is set and not empty decides.
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (const auto locale = environment(name)) {
            std::string lower = *locale;
            std::transform(lower.begin(), lower.end(), lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            return lower.find("utf-8") != lower.npos || lower.find("utf8") != lower.npos;
        }
    }
    return false;
}

unsigned terminal_width(int fd, const Environment& environment) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
    if (const auto columns = environment("COLUMNS")) {
        const long wanted = std::strtol(columns->c_str(), nullptr, 10);
        if (wanted >= 20 && wanted <= 1000) return static_cast<unsigned>(wanted);
    }
    return 80;
}

ProgressLine::ProgressLine(const Environment& environment)
    : enabled_(::isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb"),
      width_(terminal_width(STDERR_FILENO, environment)) {}

void ProgressLine::start(const std::string& check) {
    running_[check];
    draw();
}

void ProgressLine::note(const std::string& check, double fraction, const std::string& text) {
    const int percent = static_cast<int>(fraction * 100);
    // Written by a plugin, perhaps from the network: only printable ASCII may reach the terminal
    // from here.
    std::string clean;
    for (const char c : text) clean += c >= ' ' && c <= '~' ? c : '?';
    running_[check] = std::to_string(percent) + "% " + clean;
    draw();
}

void ProgressLine::finish(const std::string& check) {
    running_.erase(check);
    draw();
}

void ProgressLine::draw() {
    if (!enabled_ || running_.empty()) return;
    const auto tenths =
        std::chrono::duration_cast<Milliseconds>(Clock::now() - began_).count() / 100;
    std::string line = std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " s ";
    for (const auto& [check, said] : running_) {
        line += ' ' + check + (said.empty() ? "" : " (" + said + ')');
    }
    line.resize(std::min<std::size_t>(line.size(), width_ - 1));
    if (line == drawn_) return;
    drawn_ = line;
    shown_ = true;
    std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
    std::fflush(stderr);
}

void ProgressLine::clear() {
    if (!shown_) return;
    shown_ = false;
    drawn_.clear();
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
}

}  // namespace p2pdiag::cli
