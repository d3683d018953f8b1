// The formats in which a report can be written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/report.hpp"

namespace p2pdiag::report {

// How to show it; the machine formats pay no heed to any of it.
struct RenderOptions {
    bool colour = false;   // ANSI escape sequences may be used
    bool unicode = true;   // false: ASCII alone
    unsigned width = 80;   // columns; at least 40 are used
    bool verbose = false;  // titles, times, data and findings that are mere information
};

struct Format {
    std::string_view name;       // as for --format
    std::string_view extension;  // of a file that holds it, with the dot
    std::string_view help;
    std::string (*render)(const Report& report, const RenderOptions& options);  // ends in a newline
};

const std::vector<Format>& formats();

// Null when there is none of that name.
const Format* find_format(std::string_view name);

}  // namespace p2pdiag::report
