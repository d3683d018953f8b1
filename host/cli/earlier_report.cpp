#include "cli/earlier_report.hpp"

#include "cli/report_output.hpp"
#include "cli/rules.hpp"
#include "diagnosis/compare.hpp"
#include "profile/file.hpp"
#include "report/exit_code.hpp"
#include "report/read.hpp"

namespace p2pdiag::cli {

namespace {

std::string text_of(const char* option, const std::string& path) {
    const auto file = profile::read_file(path, report::largest_report);
    if (!file) throw UsageError{std::string(option) + ' ' + file.error().to_string()};
    return file->text;
}

// What belongs to a run alone.
void require_nothing_to_run(const RunArguments& arguments) {
    const std::pair<bool, const char*> given[] = {{!arguments.checks.empty(), "names of checks"},
                                                  {!arguments.only.empty(), "--only"},
                                                  {!arguments.skip.empty(), "--skip"},
                                                  {arguments.deep, "--deep"},
                                                  {arguments.port.has_value(), "--port"},
                                                  {arguments.peer.has_value(), "--peer"},
                                                  {!arguments.stun.empty(), "--stun"},
                                                  {!arguments.deadline.empty(), "--deadline"},
                                                  {!arguments.capture.empty(), "--capture"},
                                                  {!arguments.watch.empty(), "--watch"}};
    for (const auto& [is_given, what] : given) {
        if (!is_given) continue;
        throw UsageError{std::string("--offline runs no checks, so ") + what +
                         " cannot go with it"};
    }
}

report::FailOn fail_on(const RunArguments& arguments) {
    if (arguments.fail_on.empty()) return report::FailOn::fail;
    const auto parsed = report::parse_fail_on(arguments.fail_on);
    if (!parsed) throw UsageError{"--fail-on: expected warn, fail or unknown"};
    return *parsed;
}

}  // namespace

report::Report read_earlier_report(const char* option, const std::string& path) {
    auto report = report::read_report(text_of(option, path));
    if (report) return std::move(*report);
    profile::Problem problem{path, 0, 0, report.error().why};
    throw UsageError{std::string(option) + ' ' + problem.to_string()};
}

int run_offline(const Context& context, const RunArguments& arguments) {
    require_nothing_to_run(arguments);
    const report::FailOn threshold = fail_on(arguments);
    const report::Format& format = format_named(arguments.format);
    ReportFiles files(arguments.outputs);
    report::Report report = read_earlier_report("--offline", arguments.offline);
    diagnose_report(report, load_rules(context));
    if (!arguments.baseline.empty()) {
        const auto before = read_earlier_report("--baseline", arguments.baseline);
        report.changes = diagnosis::compare(before, report);
    }
    const bool files_written = files.write(context, report, threshold);
    const bool written = print_report(context, format, report, threshold) && files_written;
    return written ? exit_code_of(format, report, threshold) : format.failed;
}

}  // namespace p2pdiag::cli
