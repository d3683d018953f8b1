// Where a report goes: to stdout in one format, and to files in others.
#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/output_file.hpp"
#include "report/formats.hpp"

namespace p2pdiag::cli {

// Throws UsageError with the nearest name.
const report::Format& format_named(const std::string& name);

bool print_report(const Context& context, const report::Format& format,
                  const report::Report& report, report::FailOn fail_on);

// Of the program, where the report goes to stdout in this format.
int exit_code_of(const report::Format& format, const report::Report& report, report::FailOn fail_on,
                 report::Ending ending = report::Ending::complete);

// The files of --output FORMAT=PATH, opened before anything runs: a path that cannot be written is
// known at once.
class ReportFiles {
public:
    // Throws UsageError, also where two go to the same file.
    explicit ReportFiles(const std::vector<std::string>& outputs);

    // False where one could not be written, which has been said.
    bool write(const Context& context, const report::Report& report, report::FailOn fail_on);

    // Throws UsageError where one of `outputs` goes to the file that `option` names.
    static void require_other_than(const std::vector<std::string>& outputs, const char* option,
                                   const std::string& path);

private:
    struct Output {
        const report::Format& format;
        OutputFile file;
    };

    std::vector<Output> outputs_;
};

}  // namespace p2pdiag::cli
