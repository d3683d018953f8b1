#include "report/console.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "report/changes.hpp"
#include "report/console_style.hpp"
#include "report/path_line.hpp"
#include "report/report_json.hpp"
#include "report/text.hpp"

namespace p2pdiag::report {
namespace {

constexpr std::size_t narrowest = 40;
// Longer check ids stand on a line of their own.
constexpr std::size_t widest_id = 24;

std::string_view colour_of(const Verdict& verdict) {
    if (verdict.status == "open" || verdict.status == "direct") return sgr::green;
    if (verdict.status == "offline") return sgr::red;
    return sgr::yellow;
}

std::string duration_text(std::chrono::milliseconds time) {
    const auto milliseconds = static_cast<long long>(time.count());
    char text[32];
    if (milliseconds < 1000) {
        std::snprintf(text, sizeof text, "%lld ms", milliseconds);
    } else {
        std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(milliseconds) / 1000);
    }
    return text;
}

class Console {
public:
    Console(const Report& report, const RenderOptions& options)
        : report_(report),
          options_(options),
          width_(std::max<std::size_t>(options.width, narrowest)) {}

    std::string render() {
        headline();
        path();
        changes();
        causes();
        checks();
        findings();
        totals();
        return std::move(out_);
    }

private:
    std::string coloured(std::string_view text, std::string_view colour) const {
        return report::coloured(text, colour, options_);
    }

    std::string clean(std::string_view text) const { return single_line(text, options_.unicode); }

    // `text` after `head`, whose columns are `indent`; later lines stand under its start.
    void paragraph(const std::string& head, std::size_t indent, std::string_view text,
                   std::string_view colour = {}) {
        std::string before = head;
        for (const std::string& line : wrapped(clean(text), width_ - indent)) {
            out_ += before + coloured(line, colour);
            while (out_.ends_with(' ')) out_.pop_back();
            out_ += '\n';
            before = std::string(indent, ' ');
        }
    }

    void title(std::string_view text) { out_ += '\n' + coloured(text, sgr::bold) + '\n'; }

    void headline() {
        const std::string& said = report_.verdict.headline;
        paragraph("", 0, said.empty() ? "Verdict: " + report_.verdict.status : said,
                  options_.colour ? std::string(sgr::bold) + std::string(colour_of(report_.verdict))
                                  : std::string());
        if (report_.interrupted) {
            paragraph("", 0, "The run was ended early; what follows is what was known by then.");
        }
    }

    void path() {
        const auto legs = drawn_path(report_);
        if (!legs) return;
        const std::string before(width_ < narrowest + 2 ? 0 : 2, ' ');
        RenderOptions options = options_;
        options.width = static_cast<unsigned>(width_ - before.size());
        out_ += '\n' + before + path_line(*legs, options) + '\n';
        if (const std::string said = path_words(*legs); !said.empty()) paragraph("  ", 2, said);
        if (!options_.verbose) return;
        for (std::size_t i = 0; i < legs->size(); ++i) {
            const std::string leg = path_leg_name(i) + ": ";
            paragraph("    ", 6, leg + (*legs)[i].why, sgr::dim);
        }
    }

    void causes() {
        if (report_.causes.empty()) return;
        title("Why");
        for (const Cause& cause : report_.causes) {
            char sure[32];
            std::snprintf(sure, sizeof sure, " (%.0f %% sure)",
                          std::isfinite(cause.confidence) ? cause.confidence * 100 : 0.0);
            const std::string named =
                cause.title.empty() ? cause.code : cause.title + " [" + cause.code + ']';
            const bool certain_enough = is_likely(cause);
            paragraph("  ", 2, (certain_enough ? "" : "Possible: ") + named + sure,
                      certain_enough ? sgr::bold : std::string_view());
            paragraph("    ", 4, cause.explanation);
            for (const std::string& how : cause.settle) paragraph("    ? ", 6, how);
            for (const Remedy& remedy : cause.remedies) fix(remedy);
        }
    }

    void changes() {
        if (!report_.changes) return;
        title("Changes");
        paragraph("  ", 2, "Since the run of " + report_.changes->since_started + ':');
        const auto lines = change_lines(*report_.changes);
        for (const std::string& line : lines) paragraph("    ", 6, line);
        if (lines.empty()) paragraph("    ", 4, "None.");
    }

    void fix(const Remedy& remedy) {
        std::string text = remedy.title;
        if (remedy.needs_root) text += ", as root";
        if (remedy.reversible) text += ", can be undone";
        paragraph(options_.unicode ? "    → " : "    > ", 6, text);
        // Never wrapped, so that it can be copied.
        if (!remedy.command.empty()) out_ += "        " + clean(remedy.command) + '\n';
    }

    void checks() {
        if (report_.checks.empty()) return;
        title("Checks");
        std::size_t id_width = 0;
        for (const CheckResult& check : report_.checks) {
            id_width = std::max(id_width, columns(clean(check.id)));
        }
        id_width = std::min({id_width, widest_id, (width_ - 6) / 2});
        for (const CheckResult& check : report_.checks) line(check, id_width);
    }

    void line(const CheckResult& check, std::size_t id_width) {
        const Mark mark = mark_of(check.status);
        const std::string id = clean(check.id);
        std::string summary(mark.word);
        if (!summary.empty() && !check.summary.empty()) summary += ": ";
        summary += check.summary;

        std::string head = "  " + symbol(mark, options_) + ' ' + padded(id, id_width);
        const std::size_t indent = 4 + id_width + 2;
        if (columns(id) > id_width) {
            out_ += head + '\n';
            head = std::string(indent, ' ');
        } else {
            head += "  ";
        }
        if (options_.verbose) {
            paragraph(head, indent, summary);
            details(check, indent);
        } else {
            folded(head, clean(summary), width_ - indent);
        }
    }

    // One line, however much there is to say.
    void folded(const std::string& head, const std::string& text, std::size_t room) {
        const std::string shown = shortened(text, room, options_.unicode ? "…" : "...");
        cut_ = cut_ || shown != text;
        out_ += head + shown;
        while (out_.ends_with(' ')) out_.pop_back();
        out_ += '\n';
    }

    void details(const CheckResult& check, std::size_t indent) {
        const std::string before(indent, ' ');
        paragraph(before, indent,
                  check.title + " (" + check.plugin + "), " + duration_text(check.duration),
                  sgr::dim);
        if (check.data.is_null()) return;
        std::istringstream lines(json::to_pretty_text(check.data));
        for (std::string data; std::getline(lines, data);) {
            out_ += before + coloured(clean(data), sgr::dim) + '\n';
        }
    }

    void findings() {
        std::vector<const Finding*> shown;
        for (const Finding* finding : all_findings(report_)) {
            if (options_.verbose || matters(*finding)) shown.push_back(finding);
        }
        if (shown.empty()) return;
        title("Findings");
        for (const Finding* finding : shown) {
            const std::string code = clean(finding->code);
            out_ += "  " + symbol(mark_of(finding->severity), options_) + ' ' +
                    coloured(code, sgr::bold);
            if (!finding->check.empty()) {
                out_ += coloured(" (" + clean(finding->check) + ')', sgr::dim);
            }
            out_ += '\n';
            paragraph("    ", 4, finding->message);
        }
        paragraph("  ", 2, "More about one: p2pdiag explain " + shown.front()->code, sgr::dim);
    }

    // What kept a check from running is worth a look, however mild: its line alone may be cut.
    bool matters(const Finding& finding) const {
        if (finding.severity != Severity::info) return true;
        return std::ranges::any_of(report_.checks, [&](const CheckResult& check) {
            return check.id == finding.check && check.status == Status::skip;
        });
    }

    void totals() {
        static constexpr std::pair<Status, std::string_view> said[] = {
            {Status::pass, "passed"},         {Status::warn, "with a warning"},
            {Status::fail, "failed"},         {Status::unknown, "unknown"},
            {Status::skip, "skipped"},        {Status::error, "went wrong"},
            {Status::crashed, "crashed"},     {Status::timed_out, "timed out"},
            {Status::cancelled, "cancelled"},
        };
        std::string text;
        for (const auto& [status, word] : said) {
            const auto count = std::ranges::count(report_.checks, status, &CheckResult::status);
            if (count == 0) continue;
            if (!text.empty()) text += ", ";
            text += std::to_string(count) + ' ' + std::string(word);
        }
        if (text.empty()) text = "No checks were run";
        out_ += '\n';
        text += " in " + duration_text(report_.duration) + '.';
        if (cut_) text += " --verbose shows what is cut off here.";
        paragraph("", 0, text, sgr::dim);
    }

    const Report& report_;
    const RenderOptions& options_;
    std::size_t width_;
    std::string out_;
    bool cut_ = false;  // a line of a check is not all that it has to say
};

}  // namespace

std::string console(const Report& report, const RenderOptions& options) {
    return Console(report, options).render();
}

}  // namespace p2pdiag::report
