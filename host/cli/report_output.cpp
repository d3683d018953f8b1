#include "cli/report_output.hpp"

#include <unistd.h>

#include <map>

#include "cli/log.hpp"
#include "cli/terminal.hpp"

namespace p2pdiag::cli {

namespace {

std::string path_of(const std::string& output) {
    const std::size_t equals = output.find('=');
    if (equals == output.npos || equals + 1 == output.size()) {
        throw UsageError{"--output " + output +
                         ": expected FORMAT=PATH, for example json=report.json"};
    }
    return output.substr(equals + 1);
}

report::RenderOptions render_options(const Context& context, report::FailOn fail_on) {
    report::RenderOptions options;
    options.verbose = context.globals.verbose;
    options.unicode = use_unicode(context.environment);
    options.fail_on = fail_on;
    return options;
}

}  // namespace

const report::Format& format_named(const std::string& name) {
    if (const report::Format* format = report::find_format(name)) return *format;
    std::vector<std::string> names;
    for (const report::Format& format : report::formats()) names.emplace_back(format.name);
    const auto near = options::nearest(name, names);
    throw UsageError{"unknown format '" + name + "'" +
                     (near ? ": did you mean '" + *near + "'?" : "")};
}

bool print_report(const Context& context, const report::Format& format,
                  const report::Report& report, report::FailOn fail_on) {
    report::RenderOptions options = render_options(context, fail_on);
    options.colour = use_colour(STDOUT_FILENO, context.globals.colour, context.environment);
    options.width = terminal_width(STDOUT_FILENO, context.environment);
    return print_or_complain(format.render(report, options));
}

int exit_code_of(const report::Format& format, const report::Report& report, report::FailOn fail_on,
                 report::Ending ending) {
    return format.has_exit_codes() ? format.exit_code(report, fail_on)
                                   : report::exit_code(report, fail_on, ending);
}

ReportFiles::ReportFiles(const std::vector<std::string>& outputs) {
    std::map<std::filesystem::path, std::string> taken;
    for (const std::string& text : outputs) {
        const std::string path = path_of(text);
        if (const auto target = OutputFile::target(path)) {
            const auto [other, fresh] = taken.emplace(*target, text);
            if (!fresh) {
                throw UsageError{"--output " + text + ": --output " + other->second +
                                 " goes to the same file"};
            }
        }
        const report::Format& format = format_named(text.substr(0, text.find('=')));
        outputs_.push_back({format, OutputFile(path)});
    }
}

bool ReportFiles::write(const Context& context, const report::Report& report,
                        report::FailOn fail_on) {
    const report::RenderOptions options = render_options(context, fail_on);
    bool all_written = true;
    for (Output& output : outputs_) {
        const std::string problem = output.file.commit(output.format.render(report, options));
        if (problem.empty()) continue;
        complain(problem);
        all_written = false;
    }
    return all_written;
}

void ReportFiles::require_other_than(const std::vector<std::string>& outputs, const char* option,
                                     const std::string& path) {
    const auto own = OutputFile::target(path);
    for (const std::string& text : outputs) {
        if (!own || OutputFile::target(path_of(text)) != own) continue;
        throw UsageError{std::string(option) + ' ' + path + ": --output " + text +
                         " goes to the same file"};
    }
}

}  // namespace p2pdiag::cli
