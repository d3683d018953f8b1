// What a diagnosis asks to be done, and this program can do: its automatic remedies, each once, in
// the order in which they are carried out.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "loader/loader.hpp"
#include "report/report.hpp"

namespace p2pdiag::fix {

// A remedy, and all causes that ask for it.
struct Task {
    report::Remedy remedy;
    std::vector<report::Cause> causes;  // the likeliest first
    // Who does it. Null where no plugin here offers the command; `problem` says so then.
    const loader::Plugin* plugin = nullptr;
    const loader::Change* change = nullptr;
    bool takes_back = false;  // takes back what an earlier command did, rather than doing anything
    json::object arguments;   // of the command, checked, with its defaults
    json::object given;       // those that the remedy names
    std::string problem;      // why it cannot be begun; empty = it can

    report::Place place() const { return causes.front().place; }
};

// Those whose remedy has an id in `only`; all where that is empty. What stands nearest to this
// machine comes first, since what lies behind it is verified through it: a forward through the
// machine's own firewall. Those that are to be done alone come before all others. The plugins must
// outlive the tasks.
std::vector<Task> tasks_of(const report::Report& report, const loader::Plugins& plugins,
                           const std::vector<std::string>& only);

}  // namespace p2pdiag::fix
