#include "cli/change_text.hpp"

#include <algorithm>

#include "cli/text_page.hpp"
#include "report/text.hpp"

namespace p2pdiag::cli {

namespace {

using change::Executed;
using change::StepResult;
using report::Status;

class Page : public TextPage {
public:
    using TextPage::TextPage;

    // `label` and `text` on one line, or none when there is no text.
    void detail(const std::string& label, const std::string& text) {
        if (!text.empty()) line("     " + label + text);
    }
    void findings(const std::optional<report::CheckResult>& said) {
        if (!said) return;
        for (const report::Finding& finding : said->findings) {
            if (finding.severity == report::Severity::info) continue;
            line("     ! " + finding.code + ": " + finding.message);
        }
    }
};

// "2026-01-31 12:34:56Z" of "2026-01-31T12:34:56.789Z".
std::string to_the_second(const std::string& timestamp) {
    std::string out = timestamp.substr(0, timestamp.find('.')) + 'Z';
    std::ranges::replace(out, 'T', ' ');
    return out;
}

std::string summary_or(const std::optional<report::CheckResult>& said, const std::string& other) {
    return said && !said->summary.empty() ? said->summary : other;
}

std::string mark_of(const Page& page, const StepResult& step) {
    if (!step.in_force()) return "-";
    if (!step.verify) return "?";
    if (step.works_in_part()) return "!";
    if (step.verify->status == Status::fail) return page.mark("✗", "x");
    return step.verify->status == Status::pass ? page.mark("✓", "+") : "?";
}

std::string verified_label(const StepResult& step) {
    if (step.works_in_part()) return "works in part: ";
    switch (step.verify->status) {
        case Status::pass: return "verified: ";
        case Status::warn: return "verified in part: ";
        case Status::fail: return "does not work: ";
        case Status::skip:
        case Status::unknown:
        case Status::error:
        case Status::crashed:
        case Status::timed_out:
        case Status::cancelled: break;
    }
    return "not verified: ";
}

void add_step(Page& page, const StepResult& step) {
    const std::string id = step.begun() ? "  [" + step.record.id + ']' : "";
    page.line("  " + mark_of(page, step) + ' ' + step.record.title + id);
    if (step.apply) {
        const bool done = step.apply->status == Status::pass;
        page.detail(done ? "" : "could not be done: ",
                    done ? step.apply->summary
                         : summary_or(step.apply, std::string(to_string(step.apply->status))));
    }
    page.findings(step.apply);
    if (step.verify) {
        page.detail(verified_label(step),
                    summary_or(step.verify, std::string(to_string(step.verify->status))));
    }
    page.findings(step.verify);
    if (step.keep && step.keep->status != Status::pass && step.keep->status != Status::cancelled) {
        page.detail("no longer kept up: ",
                    summary_or(step.keep, std::string(to_string(step.keep->status))));
    }
    page.findings(step.keep);
    if (step.revert) {
        if (step.in_force()) {
            page.detail("could not be taken back: ", summary_or(step.revert, "no reason was said"));
        } else {
            page.detail("", "taken back");
        }
        page.findings(step.revert);
    }
    const bool as_before = !step.continues.empty() && step.in_force() && step.apply &&
                           step.apply->status != Status::pass;
    page.detail("", as_before ? "what was there before is left as it is" : "");
    const bool held = step.continues.empty() || step.begun();
    page.detail(held ? "the journal cannot be written: " : "", step.problem);
}

std::string applied_ending(const Executed& result) {
    const auto count = [&](Status status) {
        return std::ranges::count_if(
            result.steps, [&](const StepResult& step) { return step.verify->status == status; });
    };
    const auto verified = count(Status::pass);
    const auto in_part = count(Status::warn);
    const auto all = std::ssize(result.steps);
    if (verified == all) return "Done, and verified.";
    if (verified + in_part == 0) return "Done. Whether it works could not be told.";
    if (in_part == all) return "Done. It is verified in part, as said above.";
    std::string text =
        "Done. " + std::to_string(verified) + " of " + std::to_string(all) + " verified";
    if (in_part > 0) text += ", " + std::to_string(in_part) + " in part, as said above";
    if (verified + in_part < all) text += "; whether the rest works could not be told";
    return text + '.';
}

std::string ending(const Executed& result) {
    const bool stays = result.any_in_force();
    const bool begun = std::ranges::any_of(result.steps, &StepResult::begun);
    switch (result.outcome) {
        case Executed::Outcome::applied: return applied_ending(result);
        case Executed::Outcome::verify_failed:
            if (!stays) return "It did not work, and is taken back.";
            return std::ranges::none_of(result.steps, &StepResult::is_in_vain)
                       ? "Done, and not all works that was asked for. What was done stays in place."
                       : "Done, but it does not work. What was done stays in place.";
        case Executed::Outcome::kept:
            return stays ? "Ended, but not everything could be taken back."
                         : "Ended, and taken back.";
        case Executed::Outcome::keep_failed:
            return stays ? "It could not be kept up, and not everything could be taken back."
                         : "It could not be kept up, and is taken back.";
        case Executed::Outcome::not_applied:
        case Executed::Outcome::error:
        case Executed::Outcome::interrupted: break;
    }
    if (!begun) return "Nothing was changed.";
    return stays ? "Something of it is in place, or may be." : "Everything is taken back.";
}

}  // namespace

std::string plan_text(const change::Plan& plan, bool unicode) {
    Page page(unicode);
    if (!plan.said.summary.empty()) page.line(plan.said.summary);
    if (!plan.steps.empty()) page.line("This is to be done:");
    int number = 0;
    for (const change::Step& step : plan.steps) {
        page.line("  " + std::to_string(++number) + ". " + step.title);
        page.detail("to take it back: ", step.undo);
    }
    for (const std::string& note : plan.notes) page.line("Note: " + note);
    page.findings(plan.said);
    return page.take();
}

std::string result_text(const Executed& result, bool unicode) {
    Page page(unicode);
    for (const StepResult& step : result.steps) add_step(page, step);
    page.line(ending(result));
    const std::string command = change::undo_command_of(result.ids_in_force());
    if (!command.empty()) page.line("To take it back: " + command);
    return page.take();
}

std::string records_text(const std::vector<change::Record>& records, bool unicode) {
    Page page(unicode);
    page.line("This is to be taken back:");
    for (const change::Record& record : records) {
        page.line("  " + record.id + "  " + record.title);
        page.detail("", record.undo);
    }
    return page.take();
}

std::string forgetting_text(const std::vector<change::Record>& records, bool unicode) {
    Page page(unicode);
    page.line("This is to be forgotten, and may still be in place:");
    for (const change::Record& record : records) {
        page.line("  " + record.id + "  " + record.title);
        page.detail("what would take it back: ", record.undo);
        page.detail("", record.error.empty()
                            ? "nobody has tried that yet: 'p2pdiag undo " + record.id + "' does"
                            : "why that failed the last time: " + record.error);
    }
    return page.take();
}

std::string undone_text(const std::vector<change::Undone>& all, bool unicode) {
    using Outcome = change::Undone::Outcome;
    Page page(unicode);
    bool forgotten = false;
    std::vector<std::string> stuck;
    for (const change::Undone& one : all) {
        const bool settled = one.settled();
        page.line("  " + (settled ? page.mark("✓", "+") : page.mark("✗", "x")) + ' ' +
                  one.record.id + "  " + one.record.title);
        page.detail(settled ? "" : "still there: ", one.problem);
        page.findings(one.said);
        forgotten = forgotten || one.outcome == Outcome::forgotten;
        const bool in_vain = one.outcome == Outcome::failed || one.outcome == Outcome::no_plugin;
        if (in_vain && one.record.open()) stuck.push_back(one.record.id);
    }
    const bool complete = std::ranges::all_of(all, &change::Undone::settled);
    if (forgotten) {
        page.line("Forgotten. To try to take it back all the same, name it: p2pdiag undo ID");
    } else {
        page.line(complete ? "Taken back."
                           : "Not everything is taken back: see 'p2pdiag undo --list'.");
    }
    if (!stuck.empty()) {
        std::string command = "p2pdiag undo --forget";
        for (const std::string& id : stuck) command += ' ' + id;
        page.line("To give up on what never can be, as its router is gone: " + command);
    }
    return page.take();
}

std::string list_text(const std::vector<change::Record>& records,
                      const std::vector<std::optional<pid_t>>& holders, bool unicode) {
    Page page(unicode);
    for (std::size_t i = 0; i < records.size(); ++i) {
        const change::Record& record = records[i];
        page.line(record.id + "  " + to_the_second(record.created) + "  " +
                  report::padded(to_string(record.state), 9) + "  " + record.title);
        if (holders[i]) {
            page.detail("", "held by process " + std::to_string(*holders[i]));
        } else if (record.state == change::State::planned) {
            page.detail("", "was not finished: it may be in place, in part or not at all");
        }
        page.detail("last problem: ", record.error);
    }
    if (records.empty()) page.line("No change of p2pdiag is in place.");
    return page.take();
}

}  // namespace p2pdiag::cli
