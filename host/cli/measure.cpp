#include "cli/measure.hpp"

#include "base/random.hpp"

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

}  // namespace

runner::Selection selection_of(const profile::Profile& profile,
                               const std::vector<std::string>& checks,
                               const std::vector<std::string>& skip) {
    runner::Selection selection;
    selection.checks = checks.empty() ? profile.checks : checks;
    selection.skip = profile.skip;
    selection.skip.insert(selection.skip.end(), skip.begin(), skip.end());
    selection.deep = profile.deep;
    return selection;
}

runner::Plan plan_checks(const Context& context, const runner::Selection& selection) {
    auto plan = runner::make_plan(context.plugins, selection);
    if (!plan) throw UsageError{plan.error().message + refused_plugins(context)};
    if (plan->order.empty() && plan->circular.empty()) {
        throw UsageError{"no check is left to run: see 'p2pdiag list checks'" +
                         refused_plugins(context)};
    }
    return std::move(*plan);
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
    if (!profile.deadline_is_built_in) return settings;
    for (const std::string& id : measurement.plan.order) {
        const loader::Check& check = *measurement.context.plugins.find_check(id);
        if (check.deadline <= settings.deadline) continue;
        // Those that it needs take their time first.
        const Milliseconds before =
            check.needs.empty() ? Milliseconds(0) : runner::default_check_deadline;
        settings.deadline = before + check.deadline + slack_after_checks;
    }
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
