// Format nagios: what a plugin of Nagios, Icinga, Naemon … prints, and its exit code
// (https://nagios-plugins.org/doc/guidelines.html).
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

// The values are the exit codes.
enum class NagiosState { ok = 0, warning = 1, critical = 2, unknown = 3 };
std::string_view to_string(NagiosState state);  // "OK"

// CRITICAL: a check is at the threshold. WARNING: a check warns. What was measured stands, also
// when the run was cut short; else UNKNOWN says that something is missing.
NagiosState nagios_state(const Report& report, FailOn fail_on);

// The exit code of the program with this format on stdout; 0 to 3 whatever ended the run.
int nagios_exit_code(const Report& report, FailOn fail_on);

// One line, for what kept the checks from being run at all, or their report from being had.
std::string nagios_unknown(std::string_view why, int code);

std::string nagios(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
