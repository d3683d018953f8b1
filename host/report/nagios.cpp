#include "report/nagios.hpp"

#include <algorithm>
#include <cstdio>

#include "report/delays.hpp"
#include "report/text.hpp"

namespace p2pdiag::report {
namespace {

// Nagios keeps 8 KiB of what a plugin prints; the first line is what people see.
constexpr std::size_t most_columns = 400;

// What follows a "|" is numbers.
std::string nagios_text(std::string_view raw) {
    std::string out = single_line(raw, true);
    std::ranges::replace(out, '|', '/');
    const auto lines = wrapped(out, most_columns);
    return lines.size() == 1 ? out : lines.front() + " ...";
}

std::size_t checks_with(const Report& report, Status status) {
    return static_cast<std::size_t>(
        std::ranges::count(report.checks, status, &CheckResult::status));
}

std::string count_value(std::string_view label, std::size_t count) {
    return ' ' + std::string(label) + '=' + std::to_string(count) + ";;;0";
}

std::string delay_values(const Report& report) {
    std::string out;
    for (const Delay& delay : nearest_servers(report)) {
        const char* family = delay.family == "IPv6" ? "ipv6" : "ipv4";
        char text[96];
        std::snprintf(text, sizeof text, " rtt_%s=%.3fms;;;0", family, delay.rtt_ms);
        out += text;
        if (!delay.loss_percent) continue;
        std::snprintf(text, sizeof text, " loss_%s=%.2f%%;;;0;100", family, *delay.loss_percent);
        out += text;
    }
    return out;
}

// 'label'=value[unit];[warning];[critical];[lowest];[highest]
std::string performance_data(const Report& report) {
    char took[48];
    std::snprintf(took, sizeof took, "duration=%lld.%03llds;;;0",
                  static_cast<long long>(report.duration.count() / 1000),
                  static_cast<long long>(report.duration.count() % 1000));
    const std::size_t went_wrong = checks_with(report, Status::error) +
                                   checks_with(report, Status::crashed) +
                                   checks_with(report, Status::timed_out);
    return took + count_value("checks", report.checks.size()) +
           count_value("passed", checks_with(report, Status::pass)) +
           count_value("warnings", checks_with(report, Status::warn)) +
           count_value("failed", checks_with(report, Status::fail)) +
           count_value("unknown", checks_with(report, Status::unknown)) +
           count_value("skipped", checks_with(report, Status::skip)) +
           count_value("cancelled", checks_with(report, Status::cancelled)) +
           count_value("errors", went_wrong) + delay_values(report);
}

std::string nagios_line(NagiosState state, std::string_view text) {
    return "P2PDIAG " + std::string(to_string(state)) + " - " + nagios_text(text);
}

}  // namespace

std::string_view to_string(NagiosState state) {
    switch (state) {
        case NagiosState::ok: return "OK";
        case NagiosState::warning: return "WARNING";
        case NagiosState::critical: return "CRITICAL";
        case NagiosState::unknown: break;
    }
    return "UNKNOWN";
}

NagiosState nagios_state(const Report& report, FailOn fail_on) {
    const int code = exit_code(report, fail_on);
    if (code == exit_codes::findings) return NagiosState::critical;
    if (checks_with(report, Status::warn) != 0) return NagiosState::warning;
    if (code != exit_codes::nothing || report.interrupted) return NagiosState::unknown;
    return NagiosState::ok;
}

int nagios_exit_code(const Report& report, FailOn fail_on) {
    return static_cast<int>(nagios_state(report, fail_on));
}

std::string nagios_unknown(std::string_view why, int) {
    return nagios_line(NagiosState::unknown, why) + '\n';
}

std::string nagios(const Report& report, const RenderOptions& options) {
    const NagiosState state = nagios_state(report, options.fail_on);
    std::string headline = report.verdict.status;
    if (!report.verdict.headline.empty()) headline += ": " + report.verdict.headline;
    std::string out = nagios_line(state, headline) + " | " + performance_data(report) + '\n';
    if (report.interrupted) out += "The run was ended early.\n";
    for (const Finding& finding : report.host_findings) {
        out += nagios_text(finding.code + ": " + finding.message) + '\n';
    }
    for (const CheckResult& check : report.checks) {
        if (check.status == Status::pass || check.status == Status::skip) continue;
        std::string line = check.id + ' ' + std::string(to_string(check.status));
        if (!check.summary.empty()) line += ": " + check.summary;
        out += nagios_text(line) + '\n';
    }
    return out;
}

}  // namespace p2pdiag::report
