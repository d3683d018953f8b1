// The words that were typed, for what has to be known before CLI11 can be set up.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace p2pdiag::cli {

// The command line cut at the first "--": what follows belongs to a verb and is never ours to read.
struct Words {
    std::vector<std::string> before;
    std::optional<std::vector<std::string>> after;

    Words(int argc, char** argv) {
        const std::vector<std::string> all(argv + 1, argv + argc);
        const auto cut = std::find(all.begin(), all.end(), "--");
        before.assign(all.begin(), cut);
        if (cut != all.end()) after.emplace(cut + 1, all.end());
    }

    // Values of an option that has to be known before CLI11 can be set up.
    std::vector<std::string> values_of(const std::string& option) const {
        std::vector<std::string> values;
        for (std::size_t i = 0; i < before.size(); ++i) {
            if (before[i] == option && i + 1 < before.size()) values.push_back(before[i + 1]);
            if (before[i].starts_with(option + '='))
                values.push_back(before[i].substr(option.size() + 1));
        }
        return values;
    }
};

}  // namespace p2pdiag::cli
