#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>

#include "cli/commands.hpp"
#include "cli/earlier_report.hpp"
#include "cli/flight_recorder.hpp"
#include "cli/log.hpp"
#include "cli/report_output.hpp"
#include "cli/rules.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "cli/watching.hpp"
#include "diagnosis/compare.hpp"
#include "report/exit_code.hpp"
#include "report/jsonl.hpp"
#include "runner/runner.hpp"

namespace p2pdiag::cli {

namespace {

// Without a deadline that somebody asked for, a run lasts as long as its checks may take, and so
// much longer.
constexpr Milliseconds slack_after_checks{5000};

std::string random_id() {
    std::array<unsigned char, 8> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        return "0";
    std::string id;
    for (const unsigned char byte : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", byte);
        id += digits;
    }
    return id;
}

// Flags over the profile.
profile::Profile effective_profile(const Context& context, const RunArguments& arguments) {
    profile::Request request = profile_request(context);
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
    return load_profile(request);
}

runner::Plan make_plan(const Context& context, const RunArguments& arguments,
                       const profile::Profile& profile) {
    runner::Selection selection;
    selection.checks = arguments.checks.empty() ? profile.checks : arguments.checks;
    selection.only = arguments.only;
    selection.skip = profile.skip;
    selection.skip.insert(selection.skip.end(), arguments.skip.begin(), arguments.skip.end());
    selection.deep = profile.deep;
    auto plan = runner::make_plan(context.plugins, selection);
    if (!plan) throw UsageError{plan.error().message + refused_plugins(context)};
    if (plan->order.empty() && plan->circular.empty()) {
        throw UsageError{"no check is left to run: see 'p2pdiag list checks'"};
    }
    return std::move(*plan);
}

runner::Settings settings_for(const Context& context, const RunArguments& arguments,
                              const profile::Profile& profile, const runner::Plan& plan) {
    runner::Settings settings;
    settings.isolation =
        arguments.isolation == "none" ? runner::Isolation::none : runner::Isolation::child;
    settings.input = json::object{{"target", profile.target},
                                  {"servers", profile.servers},
                                  {"connection", profile.connection},
                                  {"deep", profile.deep}};
    settings.options = profile.plugins;
    settings.deadline = Milliseconds(profile.deadline_ms);
    const bool asked_for = profile.deadline_ms != profile::Profile().deadline_ms;
    if (asked_for || !arguments.deadline.empty()) return settings;
    for (const std::string& id : plan.order) {
        const loader::Check& check = *context.plugins.find_check(id);
        if (check.deadline <= settings.deadline) continue;
        // Those that it needs take their time first.
        const Milliseconds before =
            check.needs.empty() ? Milliseconds(0) : runner::default_check_deadline;
        settings.deadline = before + check.deadline + slack_after_checks;
    }
    return settings;
}

report::Finding rejection(const std::string& kind, const std::string& name,
                          const std::string& reason) {
    report::Finding finding;
    finding.code = "host.plugin-rejected";
    finding.severity = report::Severity::error;
    finding.message = kind + ' ' + name + " is not used: " + reason;
    finding.evidence = {{"file", name}, {"reason", reason}};
    return finding;
}

report::Report empty_report(const Context& context, const profile::Profile& profile,
                            const runner::Plan& plan) {
    report::Report report;
    report.tool_version = P2PDIAG_VERSION;
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        report.plugins.push_back({plugin.id, plugin.version});
    }
    for (const loader::Rejected& rejected : context.plugins.rejected) {
        report.host_findings.push_back(
            rejection("plugin", rejected.path.native(), rejected.reason));
    }
    for (const std::string& id : plan.circular) {
        const std::string file = context.plugins.owner_of(id)->file.native();
        report.host_findings.push_back(rejection(
            "check " + id + " of", file, "the checks that it needs lead back to it in a circle"));
    }
    report.run_id = random_id();
    report.started = std::chrono::system_clock::now();
    report.profile = profile.name;
    report.target_port =
        static_cast<std::uint16_t>(json::find_integer(profile.target, "port").value_or(0));
    return report;
}

// What is written while the run lasts: progress on the terminal, and with jsonl each result as it
// comes.
class Live {
public:
    Live(const Context& context, bool stream, const report::Report& report)
        : context_(context), stream_(stream), progress_(context.environment) {
        if (!stream_) return;
        std::string lines = report::jsonl_run(report);
        print(lines + new_host_findings(report));
    }

    runner::Events events() {
        runner::Events events;
        events.on_start = [this](const loader::Check& check) { progress_.start(check.id); };
        events.on_finish = [this](const report::CheckResult& result) { finish(result); };
        events.on_progress = [this](const runner::Progress& said) {
            progress_.note(said.check, said.fraction, said.text);
        };
        events.on_log = [this](const runner::LogLine& line) { log(line); };
        events.on_tick = [this] { progress_.draw(); };
        return events;
    }

    // Nothing of the run is left on the terminal. With jsonl the rest of the report.
    bool end(const report::Report& report) {
        progress_.clear();
        if (!stream_) return true;
        return print(new_host_findings(report) + report::jsonl_diagnosis(report) +
                     report::jsonl_end(report));
    }

private:
    // Those that are not printed yet.
    std::string new_host_findings(const report::Report& report) {
        std::string lines;
        for (; printed_findings_ < report.host_findings.size(); ++printed_findings_) {
            lines += report::jsonl_finding(report.host_findings[printed_findings_]);
        }
        return lines;
    }

    void finish(const report::CheckResult& result) {
        progress_.finish(result.id);
        if (!stream_) return;
        std::string lines = report::jsonl_check(result);
        for (const report::Finding& finding : result.findings)
            lines += report::jsonl_finding(finding);
        print(lines);
    }

    void log(const runner::LogLine& line) {
        if (!is_shown(line.level)) return;
        progress_.clear();
        pass_on(line.check, line.level, line.text);
    }

    const Context& context_;
    bool stream_;
    std::size_t printed_findings_ = 0;
    ProgressLine progress_;
};

// Where packets may go: "host:port", an URL, or the number of a port. A recorder needs nothing
// else, and a secret is neither.
bool names_target(const options::Option& option, const json::value& value) {
    using options::Type;
    if (option.type == Type::endpoint || option.type == Type::integer) return true;
    return option.type == Type::string && value.is_string() &&
           std::string_view(value.get_string()).find("://") != std::string_view::npos;
}

// Of every plugin that has a check in the plan.
json::object targets_in_use(const Context& context, const profile::Profile& profile,
                            const runner::Plan& plan) {
    json::object targets;
    for (const std::string& id : plan.order) {
        const loader::Plugin& plugin = *context.plugins.owner_of(id);
        const auto own = profile.plugins.find(plugin.id);
        if (own == profile.plugins.end()) continue;
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

void start_recorder(FlightRecorder& recorder, const Context& context,
                    const profile::Profile& profile, const runner::Plan& plan, json::object input,
                    SignalWatch& signals) {
    json::array checks;
    for (const std::string& id : plan.order) checks.push_back(json::value(id));
    input["checks"] = std::move(checks);
    input["plugins"] = targets_in_use(context, profile, plan);
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
int code_without_recording(int signal) {
    if (signal == 0) return report::exit_codes::internal;
    return signal == SIGINT ? report::exit_codes::interrupted : report::exit_codes::terminated;
}

// All that one run needs and that is the same for the next one.
struct RunSetup {
    const Context& context;
    const RunArguments& arguments;
    profile::Profile profile;
    runner::Plan plan;
    diagnosis::Rules rules;
    const report::Format& format;

    report::FailOn fail_on() const { return *report::parse_fail_on(profile.fail_on); }
};

struct Measured {
    report::Report report;
    report::Ending ending = report::Ending::complete;
    int code = 0;
    bool printed = true;  // false: nobody reads stdout any more
};

// One run from its plan to its exit code. With `stream` its lines go to stdout as they come.
Measured measure(const RunSetup& setup, SignalWatch& signals, bool stream,
                 const report::Report* baseline, FlightRecorder* recorder) {
    const Context& context = setup.context;
    Measured out;
    report::Report& report = out.report = empty_report(context, setup.profile, setup.plan);
    Live live(context, stream, report);
    runner::Settings settings = settings_for(context, setup.arguments, setup.profile, setup.plan);
    runner::Events events = live.events();
    if (recorder != nullptr) {
        start_recorder(*recorder, context, setup.profile, setup.plan, settings.input, signals);
        recorder->listen(events);
    }
    const TimePoint began = Clock::now();
    runner::Runner runner(context.plugins, setup.plan, std::move(settings), std::move(events));
    report.checks = runner.run(signals.fd(), [&signals] { return signals.count(); });
    report.duration = std::chrono::duration_cast<Milliseconds>(Clock::now() - began);
    report.interrupted = runner.ended() != runner::Ended::complete;
    diagnose_report(report, setup.rules);
    if (baseline != nullptr) report.changes = diagnosis::compare(*baseline, report);
    out.ending = ending_of(runner.ended(), signals.last());
    out.code = exit_code_of(setup.format, report, setup.fail_on(), out.ending);
    if (recorder != nullptr) {
        const bool keep =
            out.code != report::exit_codes::nothing || !setup.arguments.capture_on_failure;
        recorder->finish(keep, signals, report);
        // A format with codes of its own has said its state already.
        if (recorder->missing() && setup.format.exit_code == nullptr) {
            out.code = code_without_recording(signals.last());
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
        recorder.emplace(setup.context, arguments.capture);
    }
    SignalWatch signals;
    const bool stream = setup.format.name == "jsonl";
    const Measured measured =
        measure(setup, signals, stream, baseline, recorder ? &*recorder : nullptr);
    bool written = files.write(setup.context, measured.report, setup.fail_on());
    if (!stream) {
        written =
            print_report(setup.context, setup.format, measured.report, setup.fail_on()) && written;
    }
    return written && measured.printed ? measured.code : setup.format.failed;
}

// Until somebody ends it: first the whole report, then what is different from the run before. With
// jsonl the lines of all runs, one after the other.
int run_again_and_again(const RunSetup& setup, std::optional<report::Report> before,
                        Milliseconds pause) {
    const bool lines = setup.format.name == "jsonl";
    SignalWatch signals;
    for (bool first = true;; first = false) {
        ReportFiles files(setup.arguments.outputs);
        Measured now = measure(setup, signals, lines, before ? &*before : nullptr, nullptr);
        const bool stopped = signals.count() > 0;
        bool written = files.write(setup.context, now.report, setup.fail_on()) && now.printed;
        if (first && !lines) {
            written =
                print_report(setup.context, setup.format, now.report, setup.fail_on()) && written;
        } else if (!lines && !stopped) {
            // What a run that was cut short lacks is no change.
            written = print(changes_since_last_run(now.report)) && written;
        }
        if (!written) return setup.format.failed;
        if (stopped || wait_for_signal(signals, pause)) return stopped_by(signals);
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
    profile::Profile profile = effective_profile(context, arguments);
    runner::Plan plan = make_plan(context, arguments, profile);
    const RunSetup setup{context,         arguments,           std::move(profile),
                         std::move(plan), load_rules(context), format_named(arguments.format)};
    if (pause) return run_again_and_again(setup, std::move(baseline), *pause);
    return run_once(setup, baseline ? &*baseline : nullptr);
}

}  // namespace p2pdiag::cli
