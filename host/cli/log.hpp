// Messages to the person at the keyboard, on stderr: "p2pdiag: message", a line each. They may
// quote a plugin, a file name or the network, so nothing of them may steer the terminal.
#pragma once

#include <string_view>

namespace p2pdiag::cli {

// What went wrong or has to be known: always shown.
void complain(std::string_view message);

// What is of interest only with --verbose.
void remark(std::string_view message);

// What the check `source` logs, at a level of docs/plugin-author/reference.md. Without --verbose
// only errors are shown.
bool is_shown(std::string_view level);
void pass_on(std::string_view source, std::string_view level, std::string_view text);

// From now on remarks are shown, too.
void be_verbose();

}  // namespace p2pdiag::cli
