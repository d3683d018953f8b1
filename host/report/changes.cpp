#include "report/changes.hpp"

#include "report/text.hpp"

namespace p2pdiag::report {

std::vector<std::string> change_lines(const Changes& changes) {
    std::vector<std::string> lines;
    for (const Change& change : changes.list) {
        std::string line = change.kind;
        if (!change.what.empty()) line += ' ' + change.what;
        if (change.before.empty()) {
            line += ": new, " + change.after;
        } else if (change.after.empty()) {
            line += ": gone, was " + change.before;
        } else {
            line += ": " + change.before + ", now " + change.after;
        }
        lines.push_back(single_line(line, true));
    }
    return lines;
}

}  // namespace p2pdiag::report
