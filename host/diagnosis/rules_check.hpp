// What is wrong with rules that can be read: names that nobody knows, circles, and causes that
// could never be shown.
#pragma once

#include <string>
#include <vector>

#include "diagnosis/rules_file.hpp"

namespace p2pdiag::diagnosis {

struct KnownVerb {
    std::string name;                  // with its command: "forward add"
    std::vector<std::string> options;  // without the dashes
};

// What rules may refer to. Nothing is said of an empty list.
struct Known {
    std::vector<std::string> codes;
    std::vector<std::string> checks;
    std::vector<KnownVerb> verbs;
};

Problems check_rules(const Rules& rules, const Known& known);

// Of `codes`, those that no cause looks at and that are not said to make none.
std::vector<std::string> uncovered(const Rules& rules, const std::vector<std::string>& codes);

}  // namespace p2pdiag::diagnosis
