#include "report/markdown.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "report/changes.hpp"
#include "report/path_line.hpp"
#include "report/report_json.hpp"
#include "report/text.hpp"

namespace p2pdiag::report {
namespace {

// One line of plain text. HTML counts in Markdown, so its characters become entities; "@" and "#"
// would notify people and link issues on the sites where reports are posted.
std::string literal(std::string_view raw) {
    std::string out;
    const std::string text = single_line(raw, true);
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '@': out += "&#64;"; break;
            case '\\':
            case '`':
            case '*':
            case '_':
            case '[':
            case ']':
            case '|':
            case '~':
            case '#':
            case '!':
            case '$':
                out += '\\';
                out += c;
                break;
            case ':':
                // Keeps sites from making links of addresses that came from the network.
                out += text.compare(at, 3, "://") == 0 ? "&#58;" : ":";
                break;
            default: out += c;
        }
    }
    return out;
}

// A line of its own: what would start a list, a heading or a block of code there is escaped too.
std::string paragraph(std::string_view raw) {
    std::string out = literal(raw);
    out.erase(0, std::min(out.find_first_not_of(' '), out.size()));
    const std::size_t digits = std::min(out.find_first_not_of("0123456789"), out.size());
    const bool bullet = out.starts_with('-') || out.starts_with('+') || out.starts_with('=');
    const bool number =
        digits != 0 && digits != out.size() && (out[digits] == '.' || out[digits] == ')');
    if (bullet || number) out.insert(number ? digits : 0, 1, '\\');
    return out;
}

// As code; a fence of more backticks than the text has in a row (CommonMark 0.30 §6.1).
std::string code(std::string_view raw) {
    const std::string text = single_line(raw, true);
    std::size_t longest = 0;
    std::size_t row = 0;
    for (const char c : text) {
        row = c == '`' ? row + 1 : 0;
        longest = std::max(longest, row);
    }
    const std::string fence(longest + 1, '`');
    if (text.empty()) return {};
    const bool space = text.front() == '`' || text.back() == '`';
    return fence + (space ? " " : "") + text + (space ? " " : "") + fence;
}

// In a table a bar ends the cell even within code (GFM 0.29 §4.10).
std::string cell_code(std::string_view raw) {
    std::string out;
    for (const char c : code(raw)) out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
}

void path(std::string& out, const Report& report) {
    const auto legs = drawn_path(report);
    if (!legs) return;
    out += '\n' + code(path_line(*legs, {})) + '\n';
    if (const std::string said = path_words(*legs); !said.empty())
        out += '\n' + paragraph(said) + '\n';
}

void changes(std::string& out, const Report& report) {
    if (!report.changes) return;
    out += "\n## Changes since the run of " + literal(report.changes->since_started) + "\n\n";
    const auto lines = change_lines(*report.changes);
    for (const std::string& line : lines) out += "- " + literal(line) + '\n';
    if (lines.empty()) out += "None.\n";
}

void causes(std::string& out, const Report& report) {
    if (report.causes.empty()) return;
    out += "\n## Why\n";
    for (const Cause& cause : report.causes) {
        char sure[32];
        std::snprintf(sure, sizeof sure, " (%.0f %% sure)",
                      std::isfinite(cause.confidence) ? cause.confidence * 100 : 0.0);
        const std::string named =
            cause.title.empty() ? cause.code : cause.title + " [" + cause.code + ']';
        out += "\n### ";
        if (!is_likely(cause)) out += "Possible: ";
        out += literal(named) + sure + "\n\n" + paragraph(cause.explanation) + '\n';
        for (const std::string& how : cause.settle) {
            out += "\nNot certain: " + literal(how) + '\n';
        }
        if (!cause.remedies.empty()) out += '\n';
        for (const Remedy& remedy : cause.remedies) {
            out += "- " + literal(remedy.title);
            if (remedy.needs_root) out += ", as root";
            if (remedy.reversible) out += ", can be undone";
            if (!remedy.command.empty()) out += ": " + code(remedy.command);
            out += '\n';
        }
    }
}

void checks(std::string& out, const Report& report) {
    if (report.checks.empty()) return;
    out += "\n## Checks\n\n| check | status | summary | ms |\n|---|---|---|---:|\n";
    for (const CheckResult& check : report.checks) {
        out += "| " + cell_code(check.id) + " | " + literal(to_string(check.status)) + " | " +
               literal(check.summary) + " | " + std::to_string(check.duration.count()) + " |\n";
    }
}

void findings(std::string& out, const Report& report) {
    const auto all = all_findings(report);
    if (all.empty()) return;
    out += "\n## Findings\n\n";
    for (const Finding* finding : all) {
        out += "- **" + literal(to_string(finding->severity)) + "** " + code(finding->code);
        if (!finding->check.empty()) out += " (" + code(finding->check) + ')';
        out += ": " + literal(finding->message) + '\n';
    }
}

void run(std::string& out, const Report& report) {
    out += "\n## Run\n\n- p2pdiag " + literal(report.tool_version);
    const char* separator = " with ";
    for (const PluginVersion& plugin : report.plugins) {
        out += separator + literal(plugin.name) + ' ' + literal(plugin.version);
        separator = ", ";
    }
    out += "\n- started " + timestamp(report.started) + ", took " +
           std::to_string(report.duration.count()) + " ms\n- profile " + code(report.profile) +
           ", port " + std::to_string(report.target_port) + "\n- run " + code(report.run_id) + '\n';
}

}  // namespace

std::string markdown(const Report& report, const RenderOptions&) {
    const std::string& headline = report.verdict.headline;
    std::string out = "# p2pdiag: " + literal(report.verdict.status) + '\n';
    if (!headline.empty()) out += '\n' + paragraph(headline) + '\n';
    if (report.interrupted) {
        out += "\n**The run was ended early; what follows is what was known by then.**\n";
    }
    path(out, report);
    changes(out, report);
    causes(out, report);
    checks(out, report);
    findings(out, report);
    run(out, report);
    return out;
}

}  // namespace p2pdiag::report
