// Replacing a file of the system's that somebody else keeps.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace p2pdiag::firewall {

// A regular file of root's that nobody else can write to, under this one name, without an access
// list of its own. Why it is not, or nothing.
std::string distrust_file(const std::string& path);

// Puts `text` in place of `expected`, with the same owner and mode, whole or not at all; nothing is
// done when the file says something else by now, or when `check` finds fault with the new one,
// whose name it gets. What went wrong, or nothing.
std::string replace_file(const std::string& path, std::string_view expected, std::string_view text,
                         const std::function<std::string(const std::string&)>& check);

// What replace_file() had begun to write when it was killed.
void remove_leftover(const std::string& path);

}  // namespace p2pdiag::firewall
