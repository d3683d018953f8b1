#include <signal.h>

#include "cli/commands.hpp"
#include "cli/earlier_report.hpp"
#include "cli/flight_recorder.hpp"
#include "cli/live.hpp"
#include "cli/measure.hpp"
#include "cli/report_output.hpp"
#include "cli/rules.hpp"
#include "cli/signals.hpp"
#include "cli/watching.hpp"
#include "diagnosis/compare.hpp"
#include "report/exit_code.hpp"

namespace p2pdiag::cli {

namespace {

// Flags over the profile.
profile::Profile effective_profile(const Context& context, const RunArguments& arguments) {
    profile::Request request = measuring_request(context);
    request.port = arguments.port;
    request.peer = arguments.peer;
    request.stun = arguments.stun;
    if (arguments.deep) request.deep = true;
    if (!arguments.fail_on.empty()) request.fail_on = arguments.fail_on;
    if (!arguments.deadline.empty()) {
        const auto parsed = options::parse_duration(arguments.deadline);
        if (!parsed) throw UsageError{"--deadline: " + parsed.error().why};
        request.deadline_ms = *parsed;
    }
    return load_profile(context, request);
}

// Where packets may go: "host:port", an URL, or the number of a port. A recorder needs nothing
// else, and a secret is neither.
bool names_target(const options::Option& option, const json::value& value) {
    using options::Type;
    if (option.type == Type::endpoint || option.type == Type::integer) return true;
    return option.type == Type::string && value.is_string() &&
           std::string_view(value.get_string()).find("://") != std::string_view::npos;
}

// Of every plugin that has a check in the plan.
json::object targets_in_use(const Measurement& measurement) {
    json::object targets;
    for (const std::string& id : measurement.plan.order) {
        const loader::Plugin& plugin = *measurement.context.plugins.owner_of(id);
        const auto own = measurement.profile.plugins.find(plugin.id);
        if (own == measurement.profile.plugins.end()) continue;
        json::object kept;
        for (const options::Option& option : plugin.options) {
            const json::value* value = json::find(own->second, option.profile_key());
            if (value != nullptr && names_target(option, *value)) {
                kept[option.profile_key()] = *value;
            }
        }
        targets[plugin.id] = std::move(kept);
    }
    return targets;
}

// A recorder is told where the servers are, not what they are told.
void hide_credentials(json::object& input) {
    json::value* servers = input.if_contains("servers");
    json::object* all = servers == nullptr ? nullptr : servers->if_object();
    json::value* turn = all == nullptr ? nullptr : all->if_contains("turn");
    json::object* server = turn == nullptr ? nullptr : turn->if_object();
    if (server == nullptr) return;
    for (const char* name : {"username", "password"}) server->erase(name);
}

void start_recorder(FlightRecorder& recorder, const Measurement& measurement, json::object input,
                    SignalWatch& signals) {
    json::array checks;
    for (const std::string& id : measurement.plan.order) checks.push_back(json::value(id));
    input["checks"] = std::move(checks);
    input["plugins"] = targets_in_use(measurement);
    hide_credentials(input);
    recorder.start(std::move(input), signals);
}

report::Ending ending_of(runner::Ended ended, int signal) {
    if (ended == runner::Ended::deadline) return report::Ending::deadline;
    if (ended == runner::Ended::complete) return report::Ending::complete;
    return signal == SIGINT ? report::Ending::interrupt_signal : report::Ending::terminate_signal;
}

// A recording that is missing is an error, unless somebody wanted all this to end: then that is
// why.
int code_without_recording(const SignalWatch& signals) {
    return signals.last() == 0 ? report::exit_codes::internal : signals.exit_code();
}

// All that one run needs and that is the same for the next one.
struct RunSetup {
    Measurement measurement;
    const RunArguments& arguments;
    const report::Format& format;

    const Context& context() const { return measurement.context; }
    bool chooses() const {
        return !arguments.checks.empty() || !arguments.only.empty() || !arguments.skip.empty();
    }
    report::FailOn fail_on() const { return *report::parse_fail_on(measurement.profile.fail_on); }
};

struct Measured {
    report::Report report;
    int code = 0;
    bool printed = true;  // false: nobody reads stdout any more
};

// Left out of this run, by what was typed or by the profile; else a plugin that is not here has it.
bool is_not_chosen(const RunSetup& setup, const std::string& check) {
    const auto& order = setup.measurement.plan.order;
    if (std::ranges::find(order, check) != order.end()) return false;
    return setup.chooses() || setup.context().plugins.find_check(check) != nullptr;
}

// The earlier report as it would be of the checks of this run: what others found then is not gone
// since nobody looked.
report::Report comparable(const RunSetup& setup, const report::Report& earlier,
                          RulesOnDemand& rules) {
    report::Report cut = earlier;
    std::erase_if(cut.checks, [&](const report::CheckResult& result) {
        return is_not_chosen(setup, result.id);
    });
    std::erase_if(cut.host_findings, [&](const report::Finding& finding) {
        return !finding.check.empty() && is_not_chosen(setup, finding.check);
    });
    if (cut.checks.size() != earlier.checks.size()) diagnose_report(cut, rules.get());
    return cut;
}

// One run from its plan to its exit code. With `stream` its lines go to stdout as they come.
Measured measure(const RunSetup& setup, RulesOnDemand& rules, SignalWatch& signals, bool stream,
                 const report::Report* baseline, FlightRecorder* recorder) {
    Measured out;
    report::Report& report = out.report = empty_report(setup.measurement);
    Live live(setup.context(), stream, report);
    runner::Settings settings = settings_for(setup.measurement);
    runner::Events events = live.events();
    events.on_begun = [&rules] { rules.get(); };
    if (recorder != nullptr) {
        start_recorder(*recorder, setup.measurement, settings.input, signals);
        recorder->listen(events, [&live] { live.clear(); });
    }
    const runner::Ended ended =
        run_checks(setup.measurement, std::move(settings), std::move(events), signals, report);
    diagnose_report(report, rules.get());
    if (baseline != nullptr) {
        report.changes = diagnosis::compare(comparable(setup, *baseline, rules), report);
    }
    out.code =
        exit_code_of(setup.format, report, setup.fail_on(), ending_of(ended, signals.last()));
    if (recorder != nullptr) {
        const bool keep =
            out.code != report::exit_codes::nothing || !setup.arguments.capture_on_failure;
        recorder->finish(keep, signals, report);
        // A format with codes of its own has said its state already.
        if (recorder->missing() && !setup.format.has_exit_codes()) {
            out.code = code_without_recording(signals);
        }
    }
    out.printed = live.end(report);
    return out;
}

int run_once(const RunSetup& setup, const report::Report* baseline) {
    const RunArguments& arguments = setup.arguments;
    ReportFiles files(arguments.outputs);
    std::optional<FlightRecorder> recorder;
    if (!arguments.capture.empty()) {
        ReportFiles::require_other_than(arguments.outputs, "--capture", arguments.capture);
        recorder.emplace(setup.context(), arguments.capture);
    }
    SignalWatch signals;
    const bool stream = setup.format.name == "jsonl";
    RulesOnDemand rules(setup.context());
    const Measured measured =
        measure(setup, rules, signals, stream, baseline, recorder ? &*recorder : nullptr);
    bool written = files.write(setup.context(), measured.report, setup.fail_on());
    if (!written && setup.format.has_exit_codes()) {
        // What it prints must agree with its code.
        print(
            setup.format.in_place_of_report("a report could not be written", setup.format.failed));
    } else if (!stream) {
        written = print_report(setup.context(), setup.format, measured.report, setup.fail_on()) &&
                  written;
    }
    return written && measured.printed ? measured.code : setup.format.failed;
}

// Until somebody ends it: first the whole report, then what is different from the run before. With
// jsonl the lines of all runs, one after the other.
int run_again_and_again(const RunSetup& setup, std::optional<report::Report> before,
                        Milliseconds pause) {
    const bool lines = setup.format.name == "jsonl";
    RulesOnDemand rules(setup.context());
    SignalWatch signals;
    for (bool first = true;; first = false) {
        ReportFiles files(setup.arguments.outputs);
        Measured now = measure(setup, rules, signals, lines, before ? &*before : nullptr, nullptr);
        const bool stopped = signals.count() > 0;
        bool written = files.write(setup.context(), now.report, setup.fail_on()) && now.printed;
        if (first && !lines) {
            written =
                print_report(setup.context(), setup.format, now.report, setup.fail_on()) && written;
        } else if (!lines && !stopped) {
            // What a run that was cut short lacks is no change.
            written = print(changes_since_last_run(now.report)) && written;
        }
        if (!written) return setup.format.failed;
        if (stopped || wait_for_signal(signals, pause)) return signals.exit_code();
        before = std::move(now.report);
    }
}

}  // namespace

int run_command(const Context& context, const RunArguments& arguments) {
    if (!arguments.offline.empty()) return run_offline(context, arguments);
    std::optional<report::Report> baseline;
    if (!arguments.baseline.empty()) {
        baseline = read_earlier_report("--baseline", arguments.baseline);
    }
    const auto pause = pause_between_runs(arguments);
    Measurement measurement{.context = context,
                            .profile = effective_profile(context, arguments),
                            .plan = {},
                            .isolation = arguments.isolation == "none" ? runner::Isolation::none
                                                                       : runner::Isolation::child};
    measurement.plan =
        plan_checks(context, measurement.profile,
                    {.checks = arguments.checks, .only = arguments.only, .skip = arguments.skip});
    const RunSetup setup{std::move(measurement), arguments, format_named(arguments.format)};
    if (pause) return run_again_and_again(setup, std::move(baseline), *pause);
    return run_once(setup, baseline ? &*baseline : nullptr);
}

}  // namespace p2pdiag::cli
