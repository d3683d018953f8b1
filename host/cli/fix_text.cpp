#include "cli/fix_text.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/text_page.hpp"
#include "diagnosis/compare.hpp"
#include "diagnosis/engine.hpp"
#include "diagnosis/verdict.hpp"
#include "report/text.hpp"

namespace p2pdiag::cli {

namespace {

using fix::Attempt;
using fix::State;
using report::Cause;
using report::Report;

std::string sureness(const Cause& cause) {
    char text[16];
    std::snprintf(text, sizeof text, "%.0f %%", cause.confidence * 100);
    return text;
}

std::string causes_of(const Attempt& attempt) {
    std::string text;
    for (const Cause& cause : attempt.task.causes) {
        text += (text.empty() ? "" : "; ") + cause.title + " (" + sureness(cause) + " sure)";
    }
    return text;
}

// Of what was to be taken back: whether it is, the journal knows.
std::string taken_back(const Attempt& attempt) {
    return attempt.in_force() ? "could not be taken back" : "is taken back";
}

std::string words_for(fix::CutShort where) {
    switch (where) {
        case fix::CutShort::not_begun: return "not begun: it was interrupted";
        case fix::CutShort::taken_back: return "interrupted, and taken back";
        case fix::CutShort::in_place:
            return "interrupted; what was done of it may still be in place";
        case fix::CutShort::in_part: break;
    }
    return "interrupted before all of it was done";
}

std::string words_for(const Attempt& attempt) {
    if (const auto where = attempt.cut_short()) return words_for(*where);
    switch (attempt.state) {
        case State::planned: return "to be done";
        case State::in_place: return "in place already";
        case State::impossible: return "cannot be done here";
        case State::unknown: return "what would have to be done could not be told";
        case State::verified: return "done, and verified";
        case State::unproven: return "done; whether it works could not be told";
        case State::not_done: return "could not be done, and " + taken_back(attempt);
        case State::not_helped: return "did not help, and " + taken_back(attempt);
        case State::interrupted:
        case State::error: break;
    }
    return "went wrong";
}

std::string mark_of(const TextPage& page, State state) {
    switch (state) {
        case State::verified:
        case State::in_place: return page.mark("✓", "+");
        case State::planned:
        case State::unproven:
        case State::unknown: return "?";
        case State::impossible:
        case State::not_done:
        case State::not_helped:
        case State::error: return page.mark("✗", "x");
        case State::interrupted: break;
    }
    return "-";
}

void add_plan(TextPage& page, const Attempt& attempt) {
    for (const change::Step& step : attempt.plan.steps) {
        page.line("     - " + step.title);
        page.line("       to take it back: " + step.undo);
    }
    for (const change::Record& record : attempt.to_remove) {
        page.line("     - take back " + record.id + ": " + record.title);
    }
    for (const std::string& note : attempt.plan.notes) page.line("     Note: " + note);
}

void add_step(TextPage& page, const change::StepResult& step) {
    page.line("     - " + step.record.title +
              (step.begun() ? " [" + step.record.id + ']' : std::string()));
    if (step.apply && !step.apply->summary.empty()) page.line("       " + step.apply->summary);
    if (step.verify && !step.verify->summary.empty()) {
        const bool works = step.verify->status == report::Status::pass;
        page.line("       " + std::string(works ? "verified: " : "") + step.verify->summary);
    }
    if (step.revert && step.in_force()) {
        page.line("       could not be taken back: " + step.revert->summary);
    }
    if (!step.problem.empty()) page.line("       the journal: " + step.problem);
}

// Where a packet came through, the firewall let it in.
bool anything_unproven(const std::vector<Attempt>& attempts) {
    return std::ranges::any_of(attempts,
                               [](const Attempt& one) { return one.state != State::verified; });
}

// What nobody could plan for.
void add_unseen_firewall(TextPage& page, const Report& report) {
    const report::Finding* unseen = diagnosis::unseen_firewall(report.checks);
    if (unseen == nullptr) return;
    page.line("Left out: this machine's own firewall, which may have to be opened as well. " +
              unseen->message);
    page.line("To have that done, too: sudo p2pdiag fix");
}

std::string nothing_to_fix(const Report& report) {
    const report::Finding* unseen = diagnosis::unseen_firewall(report.checks);
    if (unseen == nullptr) return "There is nothing to fix.";
    return "There is nothing to fix in what was seen. " + unseen->message;
}

void add_outcome(TextPage& page, const Attempt& attempt) {
    page.line("  " + mark_of(page, attempt.state) + ' ' + attempt.task.remedy.title + ": " +
              words_for(attempt));
    if (attempt.executed) {
        for (const change::StepResult& step : attempt.executed->steps) add_step(page, step);
    }
    for (const change::Undone& one : attempt.removed) {
        page.line("     - " + one.record.title + ": " +
                  (one.settled() ? "taken back" : "still there, " + one.problem));
    }
    const bool told = attempt.executed && attempt.state != State::not_helped;
    if (!attempt.why.empty() && !told) page.line("     " + attempt.why);
}

struct Row {
    std::string what;
    std::string before;
    std::string after;
};

std::string likeliness(const Report& report, const std::string& code) {
    const auto cause = std::ranges::find(report.causes, code, &Cause::code);
    if (cause == report.causes.end()) return "-";
    return cause->confidence > diagnosis::likely ? "likely" : "possible";
}

// The verdict and every cause, then the checks and findings that are different.
std::vector<Row> rows_of(const Report& before, const Report& after) {
    std::vector<Row> rows{{"verdict", before.verdict.status, after.verdict.status}};
    std::vector<std::string> codes;
    for (const Report* report : {&before, &after}) {
        for (const Cause& cause : report->causes) {
            if (std::ranges::find(codes, cause.code) == codes.end()) codes.push_back(cause.code);
        }
    }
    for (const std::string& code : codes) {
        rows.push_back({code, likeliness(before, code), likeliness(after, code)});
    }
    for (const report::Change& change : diagnosis::compare(before, after).list) {
        if (change.kind != "check" && change.kind != "finding") continue;
        const auto shown = [](const std::string& text) { return text.empty() ? "-" : text; };
        rows.push_back({change.what, shown(change.before), shown(change.after)});
    }
    return rows;
}

void add_table(TextPage& page, const Report& before, const Report& after) {
    const std::vector<Row> rows = rows_of(before, after);
    std::size_t name = 0;
    std::size_t value = std::string_view("before").size();
    for (const Row& row : rows) {
        name = std::max(name, report::columns(row.what));
        value = std::max(value, report::columns(row.before));
    }
    const auto line = [&](const Row& row) {
        page.line("  " + report::padded(row.what, name) + "  " + report::padded(row.before, value) +
                  "  " + row.after);
    };
    page.line("");
    line({"", "before", "after"});
    for (const Row& row : rows) line(row);
}

}  // namespace

std::string fix_plan_text(const Report& before, const std::vector<Attempt>& attempts,
                          bool unicode) {
    TextPage page(unicode);
    page.line(before.verdict.headline);
    if (attempts.empty()) {
        page.line(before.causes.empty() ? nothing_to_fix(before)
                                        : "There is nothing that p2pdiag could fix itself.");
        return page.take();
    }
    page.line("");
    page.line("This is to be done:");
    int number = 0;
    for (const Attempt& attempt : attempts) {
        page.line("  " + std::to_string(++number) + ". " + attempt.task.remedy.title);
        page.line("     since: " + causes_of(attempt));
        if (attempt.state == State::planned) {
            add_plan(page, attempt);
        } else {
            page.line("     " + words_for(attempt) +
                      (attempt.why.empty() ? "" : ": " + attempt.why));
        }
    }
    add_unseen_firewall(page, before);
    return page.take();
}

std::string left_to_people_text(const Report& report, bool unicode) {
    TextPage page(unicode);
    for (const Cause& cause : report.causes) {
        std::vector<const report::Remedy*> manual;
        for (const report::Remedy& remedy : cause.remedies) {
            if (!remedy.automatic) manual.push_back(&remedy);
        }
        if (manual.empty()) continue;
        page.line("  " + cause.title + " (" + sureness(cause) + " sure):");
        for (const report::Remedy* remedy : manual) {
            page.line("    " + page.mark("→", ">") + ' ' + remedy->title);
            if (!remedy->command.empty()) page.line("        " + remedy->command);
        }
    }
    std::string out = page.take();
    return out.empty() ? out : "What only you can do:\n" + out;
}

std::string fix_result_text(const Report& before, const Report* after,
                            const std::vector<Attempt>& attempts, const std::string& undo_command,
                            bool unicode) {
    TextPage page(unicode);
    for (const Attempt& attempt : attempts) add_outcome(page, attempt);
    if (after != nullptr) {
        add_table(page, before, *after);
        page.line("");
        page.line("Now: " + after->verdict.headline);
        if (anything_unproven(attempts)) add_unseen_firewall(page, *after);
    }
    if (!undo_command.empty()) page.line("To take it back: " + undo_command);
    return page.take();
}

}  // namespace p2pdiag::cli
