// Names out of a ruleset's file, or from the user, as parts of commands to be typed. What could end
// the quotes, or does not show what it is, is not quoted at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace p2pdiag::firewall::foreign {

// Within single quotes, which both PowerShell and sh take as they are. Nothing where the text is
// empty, longer than 300 bytes, no UTF-8, or has a quote (of any kind: PowerShell takes the curved
// ones for straight ones) or a character that hides itself.
std::optional<std::string> quoted(std::string_view text);

}  // namespace p2pdiag::firewall::foreign
