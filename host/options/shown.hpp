// Text that somebody wrote, as a message shows it.
#pragma once

#include <string>
#include <string_view>

namespace p2pdiag::options {

// In double quotes, at most 64 characters, what could harm a terminal as \u{…}.
std::string shown(std::string_view text);

// The same without quotes and without a limit, for file names.
std::string harmless(std::string_view text);

}  // namespace p2pdiag::options
