#include "output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "analysis_json.hpp"
#include "base/text.hpp"
#include "findings_parts.hpp"
#include "ladder.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// Narrower than that nobody reads.
constexpr std::size_t least_width = 20;
constexpr std::size_t most_width = 240;
constexpr std::size_t shown_conversations = 10;
// A drawing is scrolled; a terminal is not.
constexpr std::size_t drawn_columns = 12;

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

void add_wrapped(std::string& out, std::string_view text, std::size_t width,
                 std::string_view indent) {
    for (const std::string& line : wrapped(text, width - indent.size())) {
        out += indent;
        out += line + '\n';
    }
}

char sign(Severity severity) {
    switch (severity) {
        case Severity::error: return 'x';
        case Severity::warning: return '!';
        case Severity::info: break;
    }
    return 'i';
}

void add_findings(std::string& out, const Outcome& result, bool filtered, std::size_t width) {
    if (result.packets == 0) {
        // A note says it.
    } else if (!result.understood) {
        add_wrapped(out,
                    filtered ? "No packet that is understood is from or to that host and port."
                             : "There is nothing in it that is understood here.",
                    width, "  ");
    } else if (result.findings.empty() && result.open_requests == 0) {
        add_wrapped(out, "Nothing wrong was found in these packets.", width, "  ");
    }
    for (const Finding& finding : result.findings) {
        add_wrapped(out, std::string(1, sign(finding.severity)) + ' ' + finding.code, width, "  ");
        add_wrapped(out, finding.message, width, "    ");
    }
    if (result.open_requests > 0) {
        add_wrapped(out,
                    times(result.open_requests, "request") +
                        " without an answer when the capture ended, too early to tell whether one "
                        "was still to come",
                    width, "  ");
    }
    if (!result.findings.empty()) {
        add_wrapped(out, "More about one: p2pdiag explain " + result.findings.front().code, width,
                    "  ");
    }
}

void add_conversations(std::string& out, const Outcome& result, std::size_t width) {
    const std::size_t count = std::min(result.conversations.size(), shown_conversations);
    if (count == 0) return;
    out += '\n';
    add_wrapped(out,
                "Conversations (" + std::to_string(count) + " of " +
                    std::to_string(result.conversation_count) + ", packets out and in):",
                width, "");
    for (std::size_t i = 0; i < count; ++i) {
        const Conversation& one = result.conversations[i];
        add_wrapped(out,
                    std::string(to_string(one.carrier)) + ' ' + one.from.to_string() + " > " +
                        one.to.to_string() + "  " + std::to_string(one.packets_out) + " / " +
                        std::to_string(one.packets_in),
                    width, "  ");
    }
}

std::string span_text(const Outcome& result) {
    if (result.packets == 0) return "";
    if (!result.span_known) return " in a time that cannot be told";
    return " in " + seconds_text(result.last_ns - result.first_ns) + " s";
}

std::string console(const Outcome& result, const Output& output) {
    std::string out;
    add_wrapped(out,
                // A file's name may hold anything.
                printable(output.source, output.source.size()) + ": " +
                    times(result.packets, "packet") + span_text(result) + ", " +
                    times(result.conversation_count, "conversation"),
                output.width, "");
    out += '\n';
    add_findings(out, result, output.filtered, output.width);
    for (const std::string& remark : result.remarks) {
        add_wrapped(out, "note: " + remark, output.width, "  ");
    }
    if (!result.messages.empty()) {
        // As many as have room beside the time and a text; a narrow terminal has no lanes for them.
        const std::size_t columns = output.width < 50 ? 8 : (output.width - 36) / 7;
        const Ladder ladder = make_ladder(result, columns, output.rows);
        out += '\n' + ladder_text(ladder, output.width, output.unicode);
    }
    add_conversations(out, result, output.width);
    return out;
}

}  // namespace

std::optional<Format> parse_format(std::string_view text) {
    if (text == "console") return Format::console;
    if (text == "json") return Format::json;
    if (text == "mermaid") return Format::mermaid;
    if (text == "svg") return Format::svg;
    return std::nullopt;
}

Output output_of_terminal() {
    Output output;
    winsize size{};
    const std::string columns = environment("COLUMNS");
    std::size_t asked = 0;
    std::from_chars(columns.data(), columns.data() + columns.size(), asked);
    if (asked > 0) {
        output.width = asked;
    } else if (::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
               size.ws_col > 0) {
        output.width = size.ws_col;
    }
    output.width = std::clamp(output.width, least_width, most_width);
    // POSIX: the first of these that is set and not empty counts.
    std::string locale;
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (locale.empty()) locale = environment(name);
    }
    for (const char* mark : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
        output.unicode = output.unicode || locale.find(mark) != std::string::npos;
    }
    return output;
}

std::string render(const Outcome& result, const Output& output) {
    switch (output.format) {
        case Format::json: return json::to_pretty_text(to_json(result, output.source));
        case Format::mermaid:
            return ladder_mermaid(make_ladder(result, drawn_columns, output.rows), result);
        case Format::svg:
            return ladder_svg(make_ladder(result, drawn_columns, output.rows), result);
        case Format::console: break;
    }
    return console(result, output);
}

int exit_code(const Outcome& result, Severity threshold) {
    constexpr int nothing = 0;
    constexpr int findings = 1;
    constexpr int undetermined = 3;
    const bool found = std::ranges::any_of(result.findings, [threshold](const Finding& finding) {
        return finding.severity >= threshold;
    });
    if (found) return findings;
    return result.understood ? nothing : undetermined;
}

}  // namespace p2pdiag::capture_plugin
