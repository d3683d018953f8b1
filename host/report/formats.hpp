// The formats in which a report can be written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/exit_code.hpp"
#include "report/report.hpp"

namespace p2pdiag::report {

// How to show it; the machine formats pay no heed to any of it but the threshold.
struct RenderOptions {
    bool colour = false;            // ANSI escape sequences may be used
    bool unicode = true;            // false: ASCII alone
    unsigned width = 80;            // columns; at least 40 are used
    bool verbose = false;           // titles, times, data and findings that are mere information
    FailOn fail_on = FailOn::fail;  // the threshold, for a format that names a state: nagios
};

struct Format {
    std::string_view name;       // as for --format
    std::string_view extension;  // of a file that holds it, with the dot
    std::string_view help;
    std::string (*render)(const Report& report, const RenderOptions& options);  // ends in a newline
    // On stdout, a format with exit codes of its own sets those of the program: after a run, and
    // (`failed`) where there is no report or it could not be written. Null for the others.
    int (*exit_code)(const Report& report, FailOn fail_on) = nullptr;
    int failed = exit_codes::internal;
    // What stands on stdout where a report should and there is none, with the exit code that the
    // other formats have for it. Null: nothing.
    std::string (*in_place_of_report)(std::string_view why, int code) = nullptr;

    bool has_exit_codes() const { return exit_code != nullptr; }
};

const std::vector<Format>& formats();

// Null when there is none of that name.
const Format* find_format(std::string_view name);

}  // namespace p2pdiag::report
