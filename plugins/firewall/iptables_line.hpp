// A line of iptables-save taken apart into words, matches and target, before anything is
// understood.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace p2pdiag::firewall::xtables {

// "! --dports 1,2": one option with what follows it up to the next.
struct Option {
    bool negated = false;
    std::string name;  // without dashes: "dports", "s"
    std::vector<std::string> values;

    // The single value; empty when there is none or more than one.
    std::string_view value() const {
        return values.size() == 1 ? std::string_view(values[0]) : std::string_view();
    }
};

// "-m multiport --dports 1,2". The options before any -m stand in one without a name.
struct Module {
    std::string name;
    std::vector<Option> options;
    std::string text;  // as it stood in the line
};

struct Line {
    std::vector<Module> matches;
    std::optional<Module> target;
    bool goes = false;  // -g rather than -j
    bool odd = false;   // has words in places where iptables allows none
};

// What stands behind "-A CHAIN". Nothing when it ends within quotes or has more than max_words.
std::optional<Line> read_line(std::string_view text);

inline constexpr std::size_t max_words = 1000;

}  // namespace p2pdiag::firewall::xtables
