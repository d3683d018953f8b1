#include "change/plan.hpp"

#include <algorithm>

namespace p2pdiag::change {

namespace {

using report::Status;

bool is_flat(const json::object& match) {
    return std::ranges::all_of(match, [](const auto& member) {
        return member.value().is_string() || member.value().is_int64();
    });
}

// What is wrong with it, or nothing.
std::string read_step(const json::value& value, Step& step) {
    const json::object* entry = value.if_object();
    if (entry == nullptr) return "is not an object";
    auto words = parse_words(*entry);
    if (!words) return words.error().what;
    step.title = std::move(words->title);
    step.undo = std::move(words->undo);
    step.match = std::move(words->match);
    const json::object* own = json::find_object(*entry, "step");
    if (own == nullptr) return "has no step";
    step.step = *own;
    step.continues = json::find_string(*entry, "continues").value_or("");
    const bool named = step.continues.empty() || is_record_id(step.continues);
    return named ? "" : "continues what is no record";
}

std::string read_steps(const json::object& data, std::vector<Step>& steps) {
    const json::array* list = json::find_array(data, "steps");
    if (list == nullptr || list->empty()) return "holds no steps";
    if (list->size() > most_steps)
        return "holds more than " + std::to_string(most_steps) + " steps";
    for (const json::value& entry : *list) {
        Step step;
        if (const std::string wrong = read_step(entry, step); !wrong.empty()) {
            return "step " + std::to_string(steps.size() + 1) + ' ' + wrong;
        }
        steps.push_back(std::move(step));
    }
    return {};
}

Plan::Outcome outcome_of(Status status) {
    switch (status) {
        case Status::pass: return Plan::Outcome::ready;
        case Status::skip: return Plan::Outcome::nothing;
        case Status::fail: return Plan::Outcome::impossible;
        case Status::unknown: return Plan::Outcome::unknown;
        case Status::warn:
        case Status::error:
        case Status::crashed:
        case Status::timed_out:
        case Status::cancelled: break;
    }
    return Plan::Outcome::error;
}

void refuse(Plan& plan, const std::string& why) {
    plan.outcome = Plan::Outcome::error;
    plan.steps.clear();
    plan.said.status = Status::error;
    plan.said.summary = "plugin " + plan.said.plugin + ": " + why;
}

}  // namespace

Maybe<Words> parse_words(const json::object& object) {
    Words words;
    words.title = json::find_string(object, "title").value_or("");
    words.undo = json::find_string(object, "undo").value_or("");
    if (words.title.empty()) return Problem{"has no title"};
    if (words.undo.empty()) return Problem{"does not say how it is taken back"};
    if (const json::object* match = json::find_object(object, "match")) words.match = *match;
    if (!is_flat(words.match))
        return Problem{"has a match of other things than strings and integers"};
    return words;
}

Plan make_plan(const Journal& journal, Caller& caller, const Target& target,
               const json::object& arguments, const Events& events) {
    const loader::Change& change = *target.change;
    events.begin("plan", change.title);
    Call call{.plugin = target.plugin, .change = target.change, .function = "plan"};
    call.input = {{"arguments", arguments},
                  {"input", target.input},
                  {"open", open_records(journal, [&](const Record& record) {
                       return record.change == change.id;
                   })}};
    call.deadline = plan_deadline;
    call.listeners = events.listeners("plan", change.title);

    Plan plan;
    plan.said = caller.run({std::move(call)}).front();
    plan.outcome = outcome_of(plan.said.status);
    if (caller.interrupts() > 0) plan.outcome = Plan::Outcome::interrupted;
    const json::object empty;
    const json::object& data = plan.said.data.is_object() ? plan.said.data.get_object() : empty;
    if (const json::array* notes = json::find_array(data, "notes")) {
        for (const json::value& note : *notes) {
            if (note.is_string()) plan.notes.emplace_back(note.get_string());
        }
    }
    if (plan.outcome == Plan::Outcome::impossible &&
        json::find_bool(data, "bad_arguments").value_or(false)) {
        plan.outcome = Plan::Outcome::bad_arguments;
    }
    if (plan.said.status == Status::warn) refuse(plan, "a plan does not end with warn");
    if (plan.outcome != Plan::Outcome::ready) return plan;
    if (const std::string wrong = read_steps(data, plan.steps); !wrong.empty()) {
        refuse(plan, "its plan " + wrong);
    }
    return plan;
}

}  // namespace p2pdiag::change
