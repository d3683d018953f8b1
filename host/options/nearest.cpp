#include <algorithm>

#include "options/options.hpp"

namespace p2pdiag::options {
namespace {

constexpr std::size_t longest_compared = 64;

// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
std::size_t distance(std::string_view left, std::string_view right) {
    const std::size_t columns = right.size() + 1;
    std::vector<std::size_t> before(columns), above(columns), row(columns);
    for (std::size_t column = 0; column < columns; ++column) above[column] = column;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j < columns; ++j) {
            const bool same = left[i - 1] == right[j - 1];
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
            const bool swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[columns - 1];
}

std::string folded(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '-') c = '_';
    }
    return out;
}

}  // namespace

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known) {
    if (name.empty() || name.size() > longest_compared) return std::nullopt;
    const std::string wanted = folded(name);
    // More than a third wrong is another word, not a slip.
    std::size_t best = std::max<std::size_t>(1, std::min<std::size_t>(3, name.size() / 3)) + 1;
    const std::string* found = nullptr;
    for (const std::string& candidate : known) {
        if (candidate.size() > longest_compared) continue;
        const std::size_t apart = distance(wanted, folded(candidate));
        if (apart < best) {
            best = apart;
            found = &candidate;
        }
    }
    if (found == nullptr) return std::nullopt;
    return *found;
}

}  // namespace p2pdiag::options
