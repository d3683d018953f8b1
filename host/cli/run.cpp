#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>

#include "cli/commands.hpp"
#include "cli/flight_recorder.hpp"
#include "cli/log.hpp"
#include "cli/output_file.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "diagnosis/consequences.hpp"
#include "diagnosis/verdict.hpp"
#include "report/exit_code.hpp"
#include "report/formats.hpp"
#include "report/jsonl.hpp"
#include "runner/runner.hpp"

namespace p2pdiag::cli {

namespace {

// Without a deadline that somebody asked for, a run lasts as long as its checks may take, and so
// much longer.
constexpr Milliseconds slack_after_checks{5000};

const report::Format& format_named(const std::string& name) {
    if (const report::Format* format = report::find_format(name)) return *format;
    std::vector<std::string> names;
    for (const report::Format& format : report::formats()) names.emplace_back(format.name);
    const auto near = options::nearest(name, names);
    throw UsageError{"unknown format '" + name + "'" +
                     (near ? ": did you mean '" + *near + "'?" : "")};
}

// "FORMAT=PATH", opened before anything runs: a path that cannot be written is known at once.
struct Output {
    const report::Format& format;
    OutputFile file;

    explicit Output(const std::string& text)
        : format(format_named(text.substr(0, text.find('=')))), file(path_of(text)) {}

    static std::string path_of(const std::string& text) {
        const std::size_t equals = text.find('=');
        if (equals == text.npos || equals + 1 == text.size()) {
            throw UsageError{"--output " + text +
                             ": expected FORMAT=PATH, for example json=report.json"};
        }
        return text.substr(equals + 1);
    }
};

std::vector<Output> open_outputs(const std::vector<std::string>& texts) {
    std::vector<Output> outputs;
    std::map<std::filesystem::path, std::string> taken;
    for (const std::string& text : texts) {
        if (const auto target = OutputFile::target(Output::path_of(text))) {
            const auto [other, fresh] = taken.emplace(*target, text);
            if (!fresh) {
                throw UsageError{"--output " + text + ": --output " + other->second +
                                 " goes to the same file"};
            }
        }
        outputs.emplace_back(text);
    }
    return outputs;
}

// A recording in the place of an output would leave one of them alone.
void require_own_file(const RunArguments& arguments) {
    const auto capture = OutputFile::target(arguments.capture);
    for (const std::string& text : arguments.outputs) {
        if (!capture || OutputFile::target(Output::path_of(text)) != capture) continue;
        throw UsageError{"--capture " + arguments.capture + ": --output " + text +
                         " goes to the same file"};
    }
}

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
        std::string rest = new_host_findings(report);
        for (const report::Cause& cause : report.causes) rest += report::jsonl_cause(cause);
        return print(rest + report::jsonl_verdict(report.verdict) + report::jsonl_end(report));
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

bool write_outputs(const Context& context, std::vector<Output>& outputs,
                   const report::Report& report) {
    report::RenderOptions options;
    options.verbose = context.globals.verbose;
    options.unicode = use_unicode(context.environment);
    bool all_written = true;
    for (Output& output : outputs) {
        const std::string problem = output.file.commit(output.format.render(report, options));
        if (problem.empty()) continue;
        complain(problem);
        all_written = false;
    }
    return all_written;
}

bool print_report(const Context& context, const report::Format& format,
                  const report::Report& report) {
    report::RenderOptions options;
    options.verbose = context.globals.verbose;
    options.unicode = use_unicode(context.environment);
    options.colour = use_colour(STDOUT_FILENO, context.globals.colour, context.environment);
    options.width = terminal_width(STDOUT_FILENO, context.environment);
    return print(format.render(report, options));
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

}  // namespace

int run_command(const Context& context, const RunArguments& arguments) {
    const profile::Profile profile = effective_profile(context, arguments);
    const runner::Plan plan = make_plan(context, arguments, profile);
    const report::Format& format = format_named(arguments.format);
    std::vector<Output> outputs = open_outputs(arguments.outputs);
    std::optional<FlightRecorder> recorder;
    if (!arguments.capture.empty()) {
        require_own_file(arguments);
        recorder.emplace(context, arguments.capture);
    }
    report::Report report = empty_report(context, profile, plan);

    SignalWatch signals;
    const bool stream = format.name == "jsonl";
    Live live(context, stream, report);
    runner::Settings settings = settings_for(context, arguments, profile, plan);
    runner::Events events = live.events();
    if (recorder) {
        start_recorder(*recorder, context, profile, plan, settings.input, signals);
        recorder->listen(events);
    }
    const TimePoint began = Clock::now();
    runner::Runner runner(context.plugins, plan, std::move(settings), std::move(events));
    report.checks = runner.run(signals.fd(), [&signals] { return signals.count(); });
    report.duration = std::chrono::duration_cast<Milliseconds>(Clock::now() - began);
    report.interrupted = runner.ended() != runner::Ended::complete;
    diagnosis::demote_consequences(report.checks);
    report.verdict = diagnosis::judge(report.checks);
    int code = report::exit_code(report, *report::parse_fail_on(profile.fail_on),
                                 ending_of(runner.ended(), signals.last()));
    if (recorder) {
        recorder->finish(code != report::exit_codes::nothing || !arguments.capture_on_failure,
                         signals, report);
        if (recorder->missing()) code = code_without_recording(signals.last());
    }

    bool written = live.end(report);
    written = write_outputs(context, outputs, report) && written;
    if (!stream) written = print_report(context, format, report) && written;
    return written ? code : report::exit_codes::internal;
}

}  // namespace p2pdiag::cli
