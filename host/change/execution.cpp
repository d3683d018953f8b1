#include "change/execution.hpp"

#include <algorithm>
#include <ranges>

#include "change/revert.hpp"

namespace p2pdiag::change {

namespace {

using report::Status;
using Outcome = Executed::Outcome;

bool went_wrong(Status status) {
    return status == Status::error || status == Status::crashed || status == Status::timed_out;
}

// A failure that says more about itself in its data.
bool fails_and_says(const report::CheckResult& said, std::string_view member) {
    return said.status == Status::fail && said.data.is_object() &&
           json::find_bool(said.data.get_object(), member).value_or(false);
}

}  // namespace

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::applied: return "applied";
        case Outcome::verify_failed: return "verify-failed";
        case Outcome::not_applied: return "not-applied";
        case Outcome::error: return "error";
        case Outcome::interrupted: return "interrupted";
        case Outcome::kept: return "kept";
        case Outcome::keep_failed: break;
    }
    return "keep-failed";
}

bool StepResult::works_in_part() const {
    return verify && fails_and_says(*verify, "works_in_part");
}

bool StepResult::is_in_vain() const {
    return verify && verify->status == Status::fail && !works_in_part();
}

bool Executed::any_in_force() const { return std::ranges::any_of(steps, &StepResult::in_force); }

std::vector<std::string> Executed::ids_in_force() const {
    std::vector<std::string> ids;
    for (const StepResult& step : steps) {
        if (step.in_force()) ids.push_back(step.record.id);
    }
    return ids;
}

Execution::Execution(Journal& journal, Caller& caller, const Target& target,
                     const std::vector<Step>& steps, Events events, std::string group)
    : journal_(journal),
      caller_(caller),
      target_(target),
      events_(std::move(events)),
      group_(std::move(group)) {
    for (const Step& step : steps) {
        StepResult planned;
        planned.record.change = target.change->id;
        planned.record.plugin = target.plugin->id;
        planned.record.plugin_version = target.plugin->version;
        planned.record.title = step.title;
        planned.record.undo = step.undo;
        planned.record.match = step.match;
        planned.record.step = step.step;
        planned.continues = step.continues;
        result_.steps.push_back(std::move(planned));
    }
}

void Execution::apply() {
    for (StepResult& step : result_.steps) {
        if (!journal(step) || !apply(step)) return roll_back();
    }
    for (StepResult& step : result_.steps) {
        if (!verify(step)) return roll_back();
    }
    journal_.prune();
}

// Empty before the first record of the command has its id.
std::string Execution::group_of_steps() const {
    return group_.empty() ? result_.steps.front().record.id : group_;
}

// Before anything is done: what is not in the journal is not done.
bool Execution::journal(StepResult& step) {
    if (caller_.interrupts() > 0) {
        result_.outcome = Outcome::interrupted;
        return false;
    }
    if (!step.continues.empty()) return resume(step);
    step.record.group = group_of_steps();
    auto lock = journal_.add(step.record);
    if (lock) {
        locks_.push_back(std::move(*lock));
        return true;
    }
    step.record.id.clear();
    step.problem = lock.error().what;
    result_.outcome = Outcome::error;
    return false;
}

bool Execution::resume(StepResult& step) {
    step.record.id = step.continues;
    step.record.group = group_of_steps();
    Lock::Taken taken = journal_.resume(step.record);
    if (taken.lock) {
        locks_.push_back(std::move(*taken.lock));
        return true;
    }
    step.record.id.clear();
    if (taken.problem.empty()) {
        step.problem = "the change " + step.continues + " is kept up, or worked on, by process " +
                       std::to_string(taken.holder.value_or(0));
        result_.outcome = Outcome::not_applied;
    } else {
        step.problem = taken.problem;
        result_.outcome = Outcome::error;
    }
    return false;
}

bool Execution::apply(StepResult& step) {
    events_.begin("apply", step.record.title);
    step.apply = run(step, "apply", apply_deadline);
    if (step.problem.empty() && step.apply->status == Status::pass) {
        step.record.state = State::applied;
        step.record.error.clear();
        if (save(step)) return true;
    }
    if (caller_.interrupts() > 0) {
        result_.outcome = Outcome::interrupted;
    } else if (!step.problem.empty() || went_wrong(step.apply->status)) {
        result_.outcome = Outcome::error;
    } else {
        result_.outcome = Outcome::not_applied;
    }
    return false;
}

// False when everything is to be taken back.
bool Execution::verify(StepResult& step) {
    events_.begin("verify", step.record.title);
    step.verify = run(step, "verify", verify_deadline);
    if (fails_and_says(*step.verify, "again") && caller_.interrupts() == 0 && !again(step))
        return false;
    step.record.verify = json::object{{"status", report::to_string(step.verify->status)},
                                      {"summary", step.verify->summary},
                                      {"data", step.verify->data}};
    save(step);
    if (caller_.interrupts() > 0) {
        result_.outcome = Outcome::interrupted;
        return false;
    }
    // It is in force, and known to the journal: what went wrong now is no reason to take it away.
    if (!step.problem.empty() || went_wrong(step.verify->status)) {
        result_.outcome = Outcome::error;
    } else if (step.verify->status == Status::fail && result_.outcome == Outcome::applied) {
        result_.outcome = Outcome::verify_failed;
    }
    return true;
}

// Once more from the beginning. False when it could not be applied again.
bool Execution::again(StepResult& step) {
    revert(step);
    if (step.record.open()) return true;
    step.continues.clear();  // what was there before is gone
    step.revert.reset();
    step.record.state = State::planned;
    step.record.record = nullptr;
    if (!save(step)) {
        result_.outcome = Outcome::error;
        return false;
    }
    if (!apply(step)) return false;
    events_.begin("verify", step.record.title);
    step.verify = run(step, "verify", verify_deadline);
    return true;
}

void Execution::keep() {
    std::vector<Call> calls;
    for (StepResult& step : result_.steps) {
        events_.begin("keep", step.record.title);
        calls.push_back(call(step, "keep"));
        calls.back().on_data = [this, &step](const json::object& record) {
            return take_record(step, record);
        };
    }
    auto ended = caller_.run(std::move(calls));
    for (std::size_t i = 0; i < ended.size(); ++i) result_.steps[i].keep = std::move(ended[i]);

    const auto any = [this](auto predicate) {
        return std::ranges::any_of(result_.steps, predicate);
    };
    const bool lost = any([](const StepResult& step) { return !step.problem.empty(); });
    if (caller_.interrupts() > 0) {
        if (result_.outcome == Outcome::applied) result_.outcome = Outcome::kept;
    } else if (lost || any([](const StepResult& step) { return went_wrong(step.keep->status); })) {
        result_.outcome = Outcome::error;
    } else {
        result_.outcome = Outcome::keep_failed;
    }
    roll_back(Extent::everything);
}

bool Execution::save(StepResult& step) {
    std::string problem = journal_.write(step.record);
    if (problem.empty()) return true;
    step.problem = std::move(problem);
    return false;
}

bool Execution::take_record(StepResult& step, const json::object& record) {
    json::object own = record;
    // What was done need not be what was asked for.
    if (const json::object* told = json::find_object(own, "told_as")) {
        if (auto words = parse_words(*told)) {
            step.record.title = std::move(words->title);
            step.record.undo = std::move(words->undo);
            step.record.match = std::move(words->match);
        }
        own.erase("told_as");
    }
    step.record.record = std::move(own);
    return save(step);
}

// The newest first: it may lean on those before it.
void Execution::roll_back(Extent extent) {
    for (StepResult& step : result_.steps | std::views::reverse) {
        if (extent == Extent::ours && !step.continues.empty()) continue;
        if (step.in_force()) revert(step);
    }
    journal_.prune();
}

void Execution::revert(StepResult& step) {
    Reverted done = change::revert(journal_, caller_, *target_.plugin, *target_.change,
                                   target_.input, step.record, events_);
    step.revert = std::move(done.said);
    if (!done.problem.empty()) step.problem = std::move(done.problem);
}

Call Execution::call(const StepResult& step, const std::string& function) const {
    Call call{.plugin = target_.plugin, .change = target_.change, .function = function};
    call.input = {{"id", step.record.id}, {"step", step.record.step}, {"input", target_.input}};
    const bool goes_on = !step.continues.empty() && !step.record.record.is_null();
    if (function != "apply" || goes_on) call.input["record"] = step.record.record;
    call.listeners = events_.listeners(function, step.record.title);
    return call;
}

report::CheckResult Execution::run(StepResult& step, const std::string& function,
                                   Milliseconds deadline) {
    Call one = call(step, function);
    one.deadline = deadline;
    if (function == "apply") {
        one.on_data = [this, &step](const json::object& record) {
            return take_record(step, record);
        };
    }
    return caller_.run({std::move(one)}).front();
}

}  // namespace p2pdiag::change
