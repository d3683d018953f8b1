// `fix`: measure, plan what the diagnosis says helps, ask, do it, measure again.
#include <algorithm>
#include <optional>
#include <set>

#include "change/children.hpp"
#include "change/json.hpp"
#include "cli/change_watch.hpp"
#include "cli/commands.hpp"
#include "cli/confirm.hpp"
#include "cli/fix_text.hpp"
#include "cli/live.hpp"
#include "cli/log.hpp"
#include "cli/measure.hpp"
#include "cli/rules.hpp"
#include "cli/terminal.hpp"
#include "diagnosis/engine.hpp"
#include "diagnosis/verdict.hpp"
#include "fix/fixing.hpp"
#include "report/exit_code.hpp"
#include "report/report_json.hpp"

namespace p2pdiag::cli {

namespace {

namespace exit_codes = report::exit_codes;
using fix::Attempt;
using fix::State;
using report::Report;

void require_known(const diagnosis::Rules& rules, const std::vector<std::string>& only) {
    std::vector<std::string> known;
    for (const diagnosis::Rule& rule : rules.causes) {
        for (const diagnosis::RemedyRule& remedy : rule.remedies) {
            const bool listed = std::ranges::find(known, remedy.id) != known.end();
            if (!remedy.verb.empty() && !listed) known.push_back(remedy.id);
        }
    }
    for (const std::string& id : only) {
        if (std::ranges::find(known, id) != known.end()) continue;
        const auto near = options::nearest(id, known);
        std::string message = "--only: no remedy that can be carried out has the id '" + id + '\'';
        if (near) throw UsageError{message + ": did you mean '" + *near + "'?"};
        for (std::size_t i = 0; i < known.size(); ++i) {
            message += (i == 0 ? ": there are " : ", ") + known[i];
        }
        throw UsageError{message};
    }
}

// What keeps others from connecting; the rest is told and no reason to call a fix incomplete.
bool matters(const report::Cause& cause) {
    return cause.confidence > diagnosis::likely && cause.impact <= report::Impact::no_calls;
}

class FixCommand {
public:
    FixCommand(const Context& context, const FixArguments& arguments)
        : context_(context),
          arguments_(arguments),
          unicode_(use_unicode(context.environment)),
          rules_(load_rules(context)),
          children_(signals_.fd(),
                    count_interrupts(signals_,
                                     "Stopping; what was done is taken back. Once more ends it at "
                                     "once, as it is.\n")),
          journal_(context.paths.changes),
          fixing_(
              journal_, children_, context.plugins,
              [this](const loader::Plugin& plugin) {
                  return plugin_input(load_own_profile(), plugin);
              },
              watch_change(context, false)) {
        require_known(rules_, arguments.only);
    }

    int run() {
        note("Looking at what is wrong ...\n");
        before_ = measure({});
        if (interrupted()) return end_untouched();
        fixing_.plan(fix::tasks_of(before_, context_.plugins, arguments_.only));
        if (interrupted()) return end_untouched();
        const auto& attempts = fixing_.attempts();
        const bool any = std::ranges::any_of(
            attempts, [](const Attempt& one) { return one.state == State::planned; });
        if (arguments_.flags.dry_run && any) return end_with_plan("planned", exit_codes::nothing);
        if (!any) return end_without_plan();
        note(fix_plan_text(before_, attempts, unicode_));
        if (!arguments_.flags.yes) {
            if (const auto code = ask_first()) return *code;
        }
        return carry_out();
    }

private:
    // Anew each time: what is done may change the configuration.
    profile::Profile load_own_profile() const {
        profile::Request request = measuring_request(context_);
        request.port = arguments_.port;
        if (arguments_.deep) request.deep = true;
        return load_profile(context_, request);
    }

    // `checks` empty: all of the profile.
    Report measure(const std::vector<std::string>& checks) {
        Measurement measurement{.context = context_, .profile = load_own_profile(), .plan = {}};
        measurement.plan = plan_checks(context_, measurement.profile,
                                       {.checks = checks, .only = {}, .skip = arguments_.skip});
        Report report = empty_report(measurement);
        Live live(context_, false, report);
        run_checks(measurement, settings_for(measurement), live.events(), signals_, report);
        live.end(report);
        diagnose_report(report, rules_);
        return report;
    }

    bool interrupted() { return children_.interrupts() > 0; }

    // Nothing where somebody agreed.
    std::optional<int> ask_first() {
        const Answer answer = ask_and_tell(context_, signals_, "Do this?", "changed");
        if (answer == Answer::yes) return std::nullopt;
        if (answer == Answer::interrupted) return end_untouched();
        return end("declined", exit_codes::declined);
    }

    int end_untouched() {
        note("Interrupted before anything was changed.\n");
        return end("interrupted", signals_.exit_code());
    }

    int carry_out() {
        fixing_.carry_out();
        if (!interrupted()) {
            after_ = measure_again();
            // What a run that was cut short lacks proves nothing.
            if (!interrupted()) fixing_.judge(*after_);
        }
        if (interrupted()) {
            fixing_.take_back_everything();
            after_.reset();
            return end_with_result("interrupted", signals_.exit_code());
        }
        if (any_of({State::not_helped}) && after_) after_ = measure_again();
        return end_judged();
    }

    // What the checks find now, and what came out when something was tried: a forward by which
    // nothing came in is no way in, and no remedy.
    Report measure_again() {
        Report report = measure_affected();
        for (report::CheckResult& result : fixing_.found_by_verifying()) {
            report.checks.push_back(std::move(result));
        }
        diagnose_report(report, rules_, fixing_.in_vain());
        return report;
    }

    // The report as it was, with the results of the checks that the changes concern measured anew;
    // those of all where the target is another one now.
    Report measure_affected() {
        const std::vector<std::string> checks = affected_checks();
        note("Checking again: " + report::joined(checks) + " ...\n");
        Report report = measure(checks);
        if (report.target_port != before_.target_port) return measure({});
        std::vector<report::CheckResult> merged = before_.checks;
        for (report::CheckResult& result : merged) {
            const auto now = std::ranges::find(report.checks, result.id, &report::CheckResult::id);
            if (now != report.checks.end()) result = *now;
        }
        report.checks = std::move(merged);
        return report;
    }

    // All that a cause can stand on: of several ways to it that hold, the report has one.
    void add_grounds(const std::string& cause, std::set<std::string>& codes) const {
        const auto rule = std::ranges::find(rules_.causes, cause, &diagnosis::Rule::id);
        if (rule == rules_.causes.end()) return;
        for (const diagnosis::When& when : rule->when) {
            for (const auto* conditions : {&when.all, &when.any}) {
                for (const diagnosis::Condition& one : *conditions) codes.insert(one.code);
            }
        }
    }

    // What a check made of the results of others is no better than these.
    bool needs_one_of(const std::string& id, const std::vector<std::string>& checks) const {
        const loader::Check* check = context_.plugins.find_check(id);
        return check != nullptr && std::ranges::any_of(check->needs, [&](const std::string& need) {
                   return std::ranges::find(checks, need) != checks.end();
               });
    }

    // Those that others need come before them, as they were run.
    std::vector<std::string> affected_checks() const {
        std::set<std::string> codes;
        std::set<std::string> plugins;
        for (const Attempt& attempt : fixing_.attempts()) {
            if (!attempt.executed && attempt.removed.empty()) continue;
            plugins.insert(attempt.task.plugin->id);
            for (const report::Cause& cause : attempt.task.causes) {
                codes.insert(cause.findings.begin(), cause.findings.end());
                add_grounds(cause.code, codes);
            }
        }
        std::vector<std::string> checks;
        for (const report::CheckResult& check : before_.checks) {
            const bool concerned =
                plugins.contains(check.plugin) || needs_one_of(check.id, checks) ||
                std::ranges::any_of(check.findings, [&](const report::Finding& finding) {
                    return codes.contains(finding.code);
                });
            if (concerned) checks.push_back(check.id);
        }
        return checks;
    }

    bool any_of(std::initializer_list<State> states) const {
        return std::ranges::any_of(fixing_.attempts(), [&](const Attempt& attempt) {
            return std::ranges::find(states, attempt.state) != states.end();
        });
    }

    // Remedies that nobody asked for before, as when the first one had to be done alone.
    bool more_to_do() const {
        for (const fix::Task& task : fix::tasks_of(*after_, context_.plugins, arguments_.only)) {
            const bool tried = std::ranges::any_of(fixing_.attempts(), [&](const Attempt& one) {
                return one.task.remedy.verb == task.remedy.verb &&
                       one.task.remedy.arguments == task.remedy.arguments;
            });
            if (!tried && task.problem.empty()) return true;
        }
        return false;
    }

    // A cause that stays is no longer in the way where one that was done works around it.
    bool worked_around(const report::Cause& cause, State state = State::verified) const {
        return std::ranges::any_of(fixing_.attempts(), [&](const Attempt& attempt) {
            return attempt.state == state && attempt.task.remedy.works_around &&
                   std::ranges::find(attempt.task.causes, cause.code, &report::Cause::code) !=
                       attempt.task.causes.end();
        });
    }

    // Of these nobody has to do anything more.
    Report without_worked_around(Report report) const {
        std::erase_if(report.causes,
                      [this](const report::Cause& cause) { return worked_around(cause); });
        return report;
    }

    // Where it could not be told whether what was done works around a cause, that is what is not
    // known: nothing else is left to be done.
    bool anything_left(const Report& report) const {
        return std::ranges::any_of(report.causes, [&](const report::Cause& cause) {
            return matters(cause) && !worked_around(cause) &&
                   !worked_around(cause, State::unproven);
        });
    }

    int end_judged() {
        const bool helped = any_of({State::verified});
        const bool left =
            any_of({State::not_done, State::not_helped, State::impossible, State::unknown}) ||
            anything_left(*after_);
        if (any_of({State::error})) return end_with_result("error", exit_codes::internal);
        if (any_of({State::unproven})) {
            return end_with_result(left ? "partly" : "unproven",
                                   left ? exit_codes::findings : exit_codes::undetermined);
        }
        if (!left) return end_with_result("fixed", exit_codes::nothing);
        return end_with_result(helped ? "partly" : "not-helped", exit_codes::findings);
    }

    int end_without_plan() {
        if (any_of({State::error})) return end_with_plan("error", exit_codes::internal);
        if (any_of({State::unknown})) return end_with_plan("unknown", exit_codes::undetermined);
        if (anything_left(before_) || any_of({State::impossible}))
            return end_with_plan("nothing", exit_codes::findings);
        const bool seen = diagnosis::unseen_firewall(before_.checks) == nullptr;
        return seen ? end_with_plan("nothing", exit_codes::nothing)
                    : end_with_plan("unknown", exit_codes::undetermined);
    }

    // The plan, or that there is none, is what this command has to say.
    int end_with_plan(std::string_view status, int code) {
        if (arguments_.flags.json()) return end(status, code);
        return print_all(fix_plan_text(before_, fixing_.attempts(), unicode_) +
                             left_to_people_text(before_, unicode_),
                         code);
    }

    int end_with_result(std::string_view status, int code) {
        signals_.dismiss();
        if (arguments_.flags.json()) return end(status, code);
        std::string text = fix_result_text(before_, after_ ? &*after_ : nullptr, fixing_.attempts(),
                                           undo_command(), unicode_);
        if (after_ && more_to_do()) text += "More can be done now: p2pdiag fix\n";
        if (after_) text += left_to_people_text(without_worked_around(*after_), unicode_);
        return print_all(text, code);
    }

    int print_all(const std::string& text, int code) const {
        const int printed = print_result(text);
        return printed == exit_codes::nothing ? code : printed;
    }

    int end(std::string_view status, int code) const {
        if (!arguments_.flags.json()) return code;
        json::array remedies;
        for (const Attempt& attempt : fixing_.attempts()) remedies.push_back(to_json(attempt));
        const json::object document{
            {"format_version", report::format_version},
            {"status", status},
            {"exit_code", code},
            {"before", report::to_json(before_)},
            {"after", after_ ? json::value(report::to_json(*after_)) : json::value()},
            {"remedies", std::move(remedies)},
            {"undo", json::text_or_null(undo_command())}};
        return print_all(json::to_pretty_text(document), code);
    }

    static json::value where_cut_short(const Attempt& attempt) {
        const auto where = attempt.cut_short();
        return where ? json::value(to_string(*where)) : json::value();
    }

    static json::object to_json(const Attempt& attempt) {
        json::array causes;
        for (const report::Cause& cause : attempt.task.causes) {
            causes.push_back(json::value(cause.code));
        }
        json::array steps;
        if (attempt.executed) {
            for (const auto& step : attempt.executed->steps) steps.push_back(change::to_json(step));
        } else {
            for (const auto& step : attempt.plan.steps) steps.push_back(change::to_json(step));
        }
        json::array removed;
        for (const auto& one : attempt.removed) removed.push_back(change::to_json(one));
        return {{"id", attempt.task.remedy.id},
                {"title", attempt.task.remedy.title},
                {"causes", std::move(causes)},
                {"verb", attempt.task.remedy.verb},
                {"arguments", attempt.task.remedy.arguments},
                {"status", to_string(attempt.state)},
                {"interrupted", where_cut_short(attempt)},
                {"why", json::text_or_null(attempt.why)},
                {"steps", std::move(steps)},
                {"removed", std::move(removed)}};
    }

    std::string undo_command() const { return change::undo_command_of(fixing_.ids_in_force()); }

    const Context& context_;
    const FixArguments& arguments_;
    const bool unicode_;
    diagnosis::Rules rules_;
    SignalWatch signals_;
    change::Children children_;
    change::Journal journal_;
    fix::Fixing fixing_;
    Report before_;
    std::optional<Report> after_;
};

}  // namespace

int fix_command(const Context& context, const FixArguments& arguments) {
    return FixCommand(context, arguments).run();
}

}  // namespace p2pdiag::cli
