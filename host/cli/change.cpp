// A command that changes something: plan, ask, carry out, report.
#include "change/children.hpp"
#include "change/json.hpp"
#include "cli/change_text.hpp"
#include "cli/change_watch.hpp"
#include "cli/commands.hpp"
#include "cli/confirm.hpp"
#include "cli/log.hpp"
#include "cli/terminal.hpp"
#include "report/exit_code.hpp"

namespace p2pdiag::cli {

namespace {

namespace exit_codes = report::exit_codes;
using change::Executed;
using change::Plan;

class ChangeCommand {
public:
    ChangeCommand(const Context& context, const change::Target& target, const ChangeFlags& flags)
        : context_(context),
          target_(target),
          flags_(flags),
          unicode_(use_unicode(context.environment)),
          children_(signals_.fd(),
                    count_interrupts(signals_,
                                     "Stopping; what was done is taken back. Once more ends it at "
                                     "once, as it is.\n")),
          journal_(context.paths.changes) {}

    int run(const json::object& arguments) {
        plan_ = change::make_plan(journal_, children_, target_, arguments,
                                  watch_change(context_, false));
        if (plan_.outcome != Plan::Outcome::ready) return end_without_steps();
        if (flags_.dry_run) return end_with_plan("planned", exit_codes::nothing, true);
        note(plan_text(plan_, unicode_));
        if (!flags_.yes) {
            const Answer answer = ask_and_tell(context_, signals_, "Do this?", "changed");
            if (answer == Answer::interrupted)
                return end_with_plan("interrupted", signals_.exit_code());
            if (answer != Answer::yes) return end_with_plan("declined", exit_codes::declined);
        }
        return carry_out();
    }

private:
    int end_without_steps() {
        switch (plan_.outcome) {
            case Plan::Outcome::nothing: return end_with_plan("nothing", exit_codes::nothing, true);
            case Plan::Outcome::impossible:
                return end_with_plan("impossible", exit_codes::findings, true);
            case Plan::Outcome::bad_arguments: throw UsageError{plan_.said.summary};
            case Plan::Outcome::unknown:
                return end_with_plan("unknown", exit_codes::undetermined, true);
            case Plan::Outcome::interrupted:
                return end_with_plan("interrupted", signals_.exit_code());
            case Plan::Outcome::ready:
            case Plan::Outcome::error: break;
        }
        return end_with_plan("error", exit_codes::internal, true);
    }

    // `is_result`: the plan is what this command has to say, so it goes to stdout.
    int end_with_plan(std::string_view status, int code, bool is_result = false) {
        if (!flags_.json()) {
            if (is_result && print_result(plan_text(plan_, unicode_)) != exit_codes::nothing) {
                return exit_codes::internal;
            }
            return code;
        }
        json::array steps;
        for (const change::Step& step : plan_.steps) steps.push_back(change::to_json(step));
        return print_document(status, code, std::move(steps), {});
    }

    int carry_out() {
        const bool several = plan_.steps.size() > 1;
        change::Execution execution(journal_, children_, target_, plan_.steps,
                                    watch_change(context_, several));
        execution.apply();
        const Executed& result = execution.result();
        const bool can_be_kept = result.outcome == Executed::Outcome::applied ||
                                 result.outcome == Executed::Outcome::verify_failed;
        if (flags_.keep && can_be_kept) {
            // Whoever waits for it must not wait for its end.
            if (!flags_.json()) print(result_text(result, unicode_));
            execution.keep();
        }
        return end(result);
    }

    int end(const Executed& result) {
        const int code = exit_code(result);
        // Whoever sends one now must not be told that it was ended, with all of it in place.
        signals_.dismiss();
        if (!flags_.json()) {
            const int printed = print_result(result_text(result, unicode_));
            return printed == exit_codes::nothing ? code : printed;
        }
        json::array steps;
        for (const change::StepResult& step : result.steps) steps.push_back(change::to_json(step));
        return print_document(to_string(result.outcome), code, std::move(steps),
                              change::undo_command_of(result.ids_in_force()));
    }

    int print_document(std::string_view status, int code, json::array steps,
                       const std::string& undo) {
        json::object plan = change::to_json(plan_.said).as_object();
        plan.erase("data");
        plan["notes"] = json::array(plan_.notes.begin(), plan_.notes.end());
        const json::object document{{"format_version", report::format_version},
                                    {"change", target_.change->id},
                                    {"plugin", json::object{{"id", target_.plugin->id},
                                                            {"version", target_.plugin->version}}},
                                    {"status", status},
                                    {"exit_code", code},
                                    {"plan", std::move(plan)},
                                    {"steps", std::move(steps)},
                                    {"undo", undo.empty() ? json::value() : json::value(undo)}};
        const int printed = print_result(json::to_pretty_text(document));
        return printed == exit_codes::nothing ? code : printed;
    }

    int exit_code(const Executed& result) const {
        switch (result.outcome) {
            case Executed::Outcome::applied: return exit_codes::nothing;
            case Executed::Outcome::kept:
                return result.any_in_force() ? exit_codes::findings : exit_codes::nothing;
            case Executed::Outcome::verify_failed:
            case Executed::Outcome::not_applied:
            case Executed::Outcome::keep_failed: return exit_codes::findings;
            case Executed::Outcome::interrupted: return signals_.exit_code();
            case Executed::Outcome::error: break;
        }
        return exit_codes::internal;
    }

    const Context& context_;
    const change::Target& target_;
    const ChangeFlags& flags_;
    const bool unicode_;
    SignalWatch signals_;
    change::Children children_;
    change::Journal journal_;
    Plan plan_;
};

}  // namespace

int change_command(const Context& context, const change::Target& target,
                   const json::object& arguments, const ChangeFlags& flags) {
    return ChangeCommand(context, target, flags).run(arguments);
}

}  // namespace p2pdiag::cli
