// Text of files and servers, taken apart.
#pragma once

#include <algorithm>
#include <string_view>

namespace p2pdiag::network_plugin {

// Without blanks and line breaks at both ends.
inline std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    return text.substr(0, text.find_last_not_of(blank) + 1);
}

}  // namespace p2pdiag::network_plugin
