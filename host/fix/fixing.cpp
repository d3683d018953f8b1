#include "fix/fixing.hpp"

#include <algorithm>
#include <ranges>

namespace p2pdiag::fix {

namespace {

using change::Executed;
using change::Plan;
using report::Cause;
using report::Status;

State state_of(Plan::Outcome outcome) {
    switch (outcome) {
        case Plan::Outcome::ready: return State::planned;
        case Plan::Outcome::nothing: return State::in_place;
        case Plan::Outcome::impossible: return State::impossible;
        case Plan::Outcome::unknown: return State::unknown;
        case Plan::Outcome::interrupted: return State::interrupted;
        case Plan::Outcome::bad_arguments:  // of a rule, not of a person
        case Plan::Outcome::error: break;
    }
    return State::error;
}

State state_of(const Executed& executed) {
    switch (executed.outcome) {
        case Executed::Outcome::applied: break;
        case Executed::Outcome::verify_failed:
            if (std::ranges::any_of(executed.steps, &change::StepResult::is_in_vain))
                return State::not_helped;
            return State::unproven;
        case Executed::Outcome::not_applied: return State::not_done;
        case Executed::Outcome::interrupted: return State::interrupted;
        case Executed::Outcome::error:
        case Executed::Outcome::kept:
        case Executed::Outcome::keep_failed: return State::error;
    }
    const bool verified = std::ranges::all_of(executed.steps, [](const change::StepResult& step) {
        return step.verify && step.verify->status == Status::pass;
    });
    return verified ? State::verified : State::unproven;
}

// Of the last thing that was said of it.
std::string summary_of(const Executed& executed) {
    for (const change::StepResult& step : executed.steps | std::views::reverse) {
        if (!step.problem.empty()) return step.problem;
        for (const auto* said : {&step.verify, &step.apply}) {
            const bool tells = *said && (*said)->status != Status::pass;
            if (tells && !(*said)->summary.empty()) return (*said)->summary;
        }
    }
    return {};
}

State state_of(const std::vector<change::Undone>& removed) {
    using Outcome = change::Undone::Outcome;
    if (std::ranges::all_of(removed, &change::Undone::settled)) return State::verified;
    const bool interrupted = std::ranges::any_of(
        removed, [](const change::Undone& one) { return one.outcome == Outcome::interrupted; });
    if (interrupted) return State::interrupted;
    const bool wrong = std::ranges::any_of(removed, [](const change::Undone& one) {
        return one.outcome == Outcome::error || one.outcome == Outcome::no_plugin;
    });
    return wrong ? State::error : State::not_done;
}

// As sure as before, or surer.
bool stands(const Cause& before, const report::Report& after) {
    const auto now = std::ranges::find(after.causes, before.code, &Cause::code);
    return now != after.causes.end() && now->confidence >= before.confidence;
}

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
        case State::planned: return "planned";
        case State::in_place: return "in-place";
        case State::impossible: return "impossible";
        case State::unknown: return "unknown";
        case State::verified: return "verified";
        case State::unproven: return "unproven";
        case State::not_done: return "not-done";
        case State::not_helped: return "not-helped";
        case State::interrupted: return "interrupted";
        case State::error: break;
    }
    return "error";
}

std::string_view to_string(CutShort where) {
    switch (where) {
        case CutShort::not_begun: return "not-begun";
        case CutShort::taken_back: return "taken-back";
        case CutShort::in_place: return "in-place";
        case CutShort::in_part: break;
    }
    return "in-part";
}

std::optional<CutShort> Attempt::cut_short() const {
    if (state != State::interrupted) return std::nullopt;
    const bool touched = std::ranges::any_of(
        removed, [](const change::Undone& one) { return one.settled() || one.said; });
    if (touched) return CutShort::in_part;
    if (in_force()) return CutShort::in_place;
    const bool begun_any =
        executed && std::ranges::any_of(executed->steps, &change::StepResult::begun);
    return begun_any ? CutShort::taken_back : CutShort::not_begun;
}

struct Attempt::Begun {
    change::Target target;
    change::Execution execution;

    Begun(change::Journal& journal, change::Caller& caller, change::Target what,
          const std::vector<change::Step>& steps, change::Events events, std::string group)
        : target(std::move(what)),
          execution(journal, caller, target, steps, std::move(events), std::move(group)) {}
};

Fixing::Fixing(change::Journal& journal, change::Caller& caller, const loader::Plugins& plugins,
               change::InputFor input_for, change::Events events)
    : journal_(journal),
      caller_(caller),
      plugins_(plugins),
      input_for_(std::move(input_for)),
      events_(std::move(events)) {}

void Fixing::plan(std::vector<Task> tasks) {
    for (Task& task : tasks) {
        Attempt attempt;
        attempt.task = std::move(task);
        plan(attempt);
        attempts_.push_back(std::move(attempt));
        const Attempt& last = attempts_.back();
        if (last.task.remedy.alone && last.state == State::planned) break;
    }
}

void Fixing::plan(Attempt& attempt) {
    if (!attempt.task.problem.empty()) {
        attempt.state = State::error;
        attempt.why = attempt.task.problem;
    } else if (caller_.interrupts() > 0) {
        attempt.state = State::interrupted;
    } else if (attempt.task.takes_back) {
        plan_removal(attempt);
    } else {
        plan_change(attempt);
    }
}

void Fixing::plan_change(Attempt& attempt) {
    const Task& task = attempt.task;
    const change::Target target{task.plugin, task.change, input_for_(*task.plugin)};
    attempt.plan = change::make_plan(journal_, caller_, target, task.arguments, events_);
    attempt.state = state_of(attempt.plan.outcome);
    if (attempt.state != State::planned) attempt.why = attempt.plan.said.summary;
}

void Fixing::plan_removal(Attempt& attempt) {
    const auto content = journal_.read();
    attempt.to_remove = change::matching(content, attempt.task.change->id, attempt.task.given);
    attempt.state = attempt.to_remove.empty() ? State::impossible : State::planned;
    if (attempt.to_remove.empty()) attempt.why = "nothing of it is in the journal of changes";
}

// All changes of one `fix` are one command to `undo`.
std::string Fixing::group() const {
    for (const Attempt& attempt : attempts_) {
        if (!attempt.executed) continue;
        for (const change::StepResult& step : attempt.executed->steps) {
            if (step.begun()) return step.record.group;
        }
    }
    return {};
}

void Fixing::carry_out() {
    for (Attempt& attempt : attempts_) {
        if (attempt.state != State::planned) continue;
        if (caller_.interrupts() == 0) carry_out(attempt);
        if (caller_.interrupts() > 0) return take_back_everything();
    }
}

void Fixing::carry_out(Attempt& attempt) {
    if (attempt.task.takes_back) {
        remove(attempt);
    } else {
        make_change(attempt);
    }
}

void Fixing::remove(Attempt& attempt) {
    attempt.removed =
        change::take_back(journal_, caller_, plugins_, input_for_, attempt.to_remove, events_);
    attempt.state = state_of(attempt.removed);
    for (const change::Undone& one : attempt.removed) {
        if (!one.settled()) attempt.why = one.problem;
    }
}

void Fixing::make_change(Attempt& attempt) {
    const Task& task = attempt.task;
    attempt.begun = std::make_shared<Attempt::Begun>(
        journal_, caller_, change::Target{task.plugin, task.change, input_for_(*task.plugin)},
        attempt.plan.steps, events_, group());
    attempt.begun->execution.apply();
    attempt.executed = attempt.begun->execution.result();
    attempt.state = state_of(*attempt.executed);
    attempt.why = summary_of(*attempt.executed);
    if (attempt.state == State::not_helped) take_back(attempt, State::not_helped, attempt.why);
}

void Fixing::take_back(Attempt& attempt, State state, std::string why) {
    attempt.begun->execution.take_back();
    attempt.executed = attempt.begun->execution.result();
    attempt.state = state;
    attempt.why = std::move(why);
}

void Fixing::judge(const report::Report& after) {
    for (Attempt& attempt : attempts_ | std::views::reverse) {
        const bool done = attempt.state == State::verified || attempt.state == State::unproven;
        if (!done || attempt.task.takes_back || attempt.task.remedy.works_around) continue;
        const auto& causes = attempt.task.causes;
        const bool all_stand =
            std::ranges::all_of(causes, [&](const Cause& cause) { return stands(cause, after); });
        if (all_stand) {
            take_back(attempt, State::not_helped, causes.front().code + " stands as before");
        } else if (attempt.state == State::unproven) {
            attempt.state = State::verified;
            attempt.why = "the checks no longer find " + causes.front().code;
        }
    }
}

void Fixing::take_back_everything() {
    for (Attempt& attempt : attempts_ | std::views::reverse) {
        const bool begun = attempt.begun != nullptr;
        if (begun && attempt.in_force()) {
            take_back(attempt, State::interrupted, "");
        } else if (attempt.state == State::planned) {
            attempt.state = State::interrupted;
        }
    }
}

std::vector<diagnosis::InVain> Fixing::in_vain() const {
    std::vector<diagnosis::InVain> all;
    for (const Attempt& attempt : attempts_) {
        const report::Remedy& remedy = attempt.task.remedy;
        if (attempt.in_vain()) all.push_back({remedy.verb, remedy.arguments});
    }
    return all;
}

std::vector<report::CheckResult> Fixing::found_by_verifying() const {
    std::vector<report::CheckResult> all;
    for (const Attempt& attempt : attempts_) {
        if (!attempt.executed) continue;
        for (const change::StepResult& step : attempt.executed->steps) {
            const bool failed = attempt.in_vain() && step.is_in_vain();
            const bool found =
                attempt.state == State::unproven && step.verify && !step.verify->findings.empty();
            if (!failed && !found) continue;
            const auto known = std::ranges::find(all, step.verify->id, &report::CheckResult::id);
            if (known == all.end()) {
                all.push_back(*step.verify);
            } else {
                known->findings.insert(known->findings.end(), step.verify->findings.begin(),
                                       step.verify->findings.end());
            }
        }
    }
    return all;
}

std::vector<std::string> Fixing::ids_in_force() const {
    std::vector<std::string> all;
    for (const Attempt& attempt : attempts_) {
        if (!attempt.executed) continue;
        for (std::string& id : attempt.executed->ids_in_force()) all.push_back(std::move(id));
    }
    return all;
}

}  // namespace p2pdiag::fix
