// Asking the person at the keyboard before anything is changed.
#pragma once

#include <string>

#include "cli/context.hpp"
#include "cli/signals.hpp"

namespace p2pdiag::cli {

enum class Answer { yes, no, nobody_there, interrupted };

// On stderr, answered on stdin; anything but y or yes means no. Nobody is there when one of them is
// no terminal, or with --no-input.
Answer ask(const Context& context, SignalWatch& signals, const std::string& question);

// The same, and says why nothing is done where that is so; `done`: "changed", "taken back".
Answer ask_and_tell(const Context& context, SignalWatch& signals, const std::string& question,
                    const std::string& done);

// The command line that was typed, with --yes, to be typed in a shell.
std::string command_with_yes(const Context& context);

}  // namespace p2pdiag::cli
