// The exit code of a run. docs/user/formats.md has the table and its reasons.
#pragma once

#include <optional>
#include <string_view>

#include "report/report.hpp"

namespace p2pdiag::report {

// From where on a result makes the exit code 1.
enum class FailOn { warn, fail, unknown };
std::optional<FailOn> parse_fail_on(std::string_view text);

// What ended the run.
enum class Ending { complete, deadline, interrupt_signal, terminate_signal };

namespace exit_codes {
inline constexpr int nothing = 0;
inline constexpr int findings = 1;
inline constexpr int usage = 2;
inline constexpr int undetermined = 3;
inline constexpr int internal = 4;
inline constexpr int declined = 5;
inline constexpr int deadline = 124;
inline constexpr int interrupted = 130;
inline constexpr int terminated = 143;
}  // namespace exit_codes

int exit_code(const Report& report, FailOn fail_on, Ending ending = Ending::complete);

}  // namespace p2pdiag::report
