#include "report/html/text.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "base/utf8.hpp"
#include "report/text.hpp"

namespace p2pdiag::report::html {

namespace {

// A character that a page may not hold (HTML, "noncharacter-in-input-stream").
bool is_noncharacter(char32_t code) {
    return (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
}

}  // namespace

std::string text(std::string_view raw) {
    const std::string line = single_line(raw, true);
    std::string out;
    for (std::string_view rest = line; !rest.empty();) {
        const Utf8Char next = decode_utf8(rest);
        switch (next.code) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += is_noncharacter(next.code) ? "\xEF\xBF\xBD" : rest.substr(0, next.size);
        }
        rest.remove_prefix(next.size);
    }
    return out;
}

std::string code(std::string_view raw) { return "<code>" + text(raw) + "</code>"; }

std::string command(std::string_view raw) {
    return "<pre class=\"command\"><code>" + text(raw) + "</code></pre>\n";
}

std::string data_block(const json::value& value) {
    std::string out = "<pre class=\"data\" tabindex=\"0\">";
    std::istringstream lines(json::to_pretty_text(value));
    for (std::string line; std::getline(lines, line);) out += text(line) + '\n';
    return out + "</pre>\n";
}

std::string chip(std::string_view kind, std::string_view words) {
    return "<span class=\"chip " + std::string(kind) + "\">" + text(words) + "</span>";
}

std::string_view kind_of(Status status) {
    switch (status) {
        case Status::pass: return "works";
        case Status::warn: return "limited";
        case Status::fail:
        case Status::error:
        case Status::crashed:
        case Status::timed_out: return "broken";
        case Status::skip:
        case Status::unknown:
        case Status::cancelled: break;
    }
    return "unknown";
}

std::string_view kind_of(Severity severity) {
    switch (severity) {
        case Severity::error: return "broken";
        case Severity::warning: return "limited";
        case Severity::info: break;
    }
    return "plain";
}

std::string duration_text(std::chrono::milliseconds time) {
    const auto milliseconds = static_cast<long long>(time.count());
    char out[32];
    if (milliseconds < 1000) {
        std::snprintf(out, sizeof out, "%lld ms", milliseconds);
    } else {
        std::snprintf(out, sizeof out, "%.1f s", static_cast<double>(milliseconds) / 1000);
    }
    return out;
}

std::string percent(double share) {
    char out[16];
    std::snprintf(out, sizeof out, "%.2f%%", std::clamp(share, 0.0, 1.0) * 100);
    return out;
}

}  // namespace p2pdiag::report::html
