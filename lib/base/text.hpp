// Text from outside: made fit to be shown, and taken apart; and numbers of things.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace p2pdiag {

// At most `most` characters of printable ASCII; every other byte becomes '?', so that no terminal
// escape and no broken UTF-8 gets any further.
inline std::string printable(std::string_view text, std::size_t most = 128) {
    std::string result(text.substr(0, most));
    for (char& c : result) {
        if (c < ' ' || c > '~') c = '?';
    }
    return result;
}

// The first line, without its end, taken off the text.
inline std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

// "1 packet", "3 packets".
inline std::string times(std::uint64_t number, std::string_view what) {
    return std::to_string(number) + ' ' + std::string(what) + (number == 1 ? "" : "s");
}

}  // namespace p2pdiag
