#include "cli/measure.hpp"

#include <algorithm>
#include <map>

#include "base/random.hpp"
#include "cli/log.hpp"

namespace p2pdiag::cli {

namespace {

// Without a deadline that somebody asked for, a run lasts as long as its checks may take, and so
// much longer.
constexpr Milliseconds slack_after_checks{5000};

report::Finding rejection(const std::string& kind, const std::string& name,
                          const std::string& reason) {
    report::Finding finding;
    finding.code = "host.plugin-rejected";
    finding.severity = report::Severity::error;
    finding.message = kind + ' ' + name + " is not used: " + reason;
    finding.evidence = {{"file", name}, {"reason", reason}};
    return finding;
}

// Where a plugin is refused, its checks are missing for a reason that the report gives, and the
// others run.
void require_known(const Context& context, const std::vector<std::string>& globs) {
    for (const std::string& glob : globs) {
        const auto wrong = runner::unmatched(context.plugins, glob);
        if (!wrong) continue;
        const bool refused = wrong->absent_plugin && !context.plugins.rejected.empty();
        if (!refused) throw UsageError{wrong->message + refused_plugins(context)};
        complain(wrong->message);
    }
}

// The deadline of a run that nobody gave one: more than the profile's where a check may take
// longer, and what it needs comes first.
Milliseconds enough_for(const Measurement& measurement, Milliseconds deadline) {
    std::map<std::string, Milliseconds> ends;  // at the latest
    for (const std::string& id : measurement.plan.order) {
        const loader::Check& check = *measurement.context.plugins.find_check(id);
        const bool own = check.deadline.count() > 0;
        Milliseconds begins{0};
        for (const std::string& need : check.needs) {
            if (const auto end = ends.find(need); end != ends.end()) {
                begins = std::max(begins, end->second);
            }
        }
        ends[id] = begins + (own ? check.deadline : runner::default_check_deadline);
        const bool longer = check.deadline > Milliseconds(measurement.profile.deadline_ms);
        if (longer) deadline = std::max(deadline, ends[id] + slack_after_checks);
    }
    return deadline;
}

}  // namespace

profile::Request measuring_request(const Context& context) {
    profile::Request request = profile_request(context);
    request.judge_glob = [&context](const std::string& glob) -> std::optional<profile::WrongGlob> {
        const auto wrong = runner::unmatched(context.plugins, glob);
        if (!wrong) return std::nullopt;
        return profile::WrongGlob{wrong->message, wrong->absent_plugin};
    };
    return request;
}

runner::Plan plan_checks(const Context& context, const profile::Profile& profile,
                         const runner::Selection& typed) {
    for (const auto* globs : {&typed.checks, &typed.only, &typed.skip}) {
        require_known(context, *globs);
    }
    runner::Selection selection = typed;
    if (typed.checks.empty()) selection.checks = profile.checks;
    selection.skip.insert(selection.skip.end(), profile.skip.begin(), profile.skip.end());
    selection.deep = profile.deep;
    runner::Plan plan = runner::make_plan(context.plugins, selection);
    if (plan.order.empty() && plan.circular.empty()) {
        throw UsageError{"no check is left to run: see 'p2pdiag list checks'" +
                         refused_plugins(context)};
    }
    return plan;
}

runner::Settings settings_for(const Measurement& measurement) {
    const profile::Profile& profile = measurement.profile;
    runner::Settings settings;
    settings.isolation = measurement.isolation;
    settings.input = json::object{{"target", profile.target},
                                  {"servers", profile.servers},
                                  {"connection", profile.connection},
                                  {"deep", profile.deep}};
    settings.options = profile.plugins;
    for (const std::string& id : measurement.plan.order) {
        const std::string& plugin = measurement.context.plugins.owner_of(id)->id;
        if (settings.changes.contains(plugin)) continue;
        settings.changes[plugin] = plugin_changes(measurement.context, plugin);
    }
    settings.deadline = Milliseconds(profile.deadline_ms);
    if (profile.deadline_is_built_in)
        settings.deadline = enough_for(measurement, settings.deadline);
    return settings;
}

report::Report empty_report(const Measurement& measurement) {
    const Context& context = measurement.context;
    report::Report report;
    report.tool_version = P2PDIAG_VERSION;
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        report.plugins.push_back({plugin.id, plugin.version});
    }
    for (const loader::Rejected& rejected : context.plugins.rejected) {
        report.host_findings.push_back(
            rejection("plugin", rejected.path.native(), rejected.reason));
    }
    for (const std::string& id : measurement.plan.circular) {
        const std::string file = context.plugins.owner_of(id)->file.native();
        report.host_findings.push_back(rejection(
            "check " + id + " of", file, "the checks that it needs lead back to it in a circle"));
    }
    report.run_id = random_name(8);
    report.started = std::chrono::system_clock::now();
    report.profile = measurement.profile.name;
    report.target_port = static_cast<std::uint16_t>(
        json::find_integer(measurement.profile.target, "port").value_or(0));
    return report;
}

runner::Ended run_checks(const Measurement& measurement, runner::Settings settings,
                         runner::Events events, SignalWatch& signals, report::Report& report) {
    const TimePoint began = Clock::now();
    runner::Runner runner(measurement.context.plugins, measurement.plan, std::move(settings),
                          std::move(events));
    report.checks = runner.run(signals.fd(), [&signals] { return signals.count(); });
    report.duration = std::chrono::duration_cast<Milliseconds>(Clock::now() - began);
    report.interrupted = runner.ended() != runner::Ended::complete;
    return runner.ended();
}

}  // namespace p2pdiag::cli
