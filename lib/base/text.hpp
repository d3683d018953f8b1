// Text from outside, made fit to be shown.
#pragma once

#include <cstddef>
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

}  // namespace p2pdiag
