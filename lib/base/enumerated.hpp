// A list as people write it.
#pragma once

#include <string>
#include <vector>

namespace p2pdiag {

// "a", "a and b", "a, b and c".
inline std::string enumerated(const std::vector<std::string>& parts) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
        text += parts[i];
    }
    return text;
}

}  // namespace p2pdiag
