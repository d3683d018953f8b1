// The rules of the diagnosis that are in force, and what they may refer to here.
#pragma once

#include <filesystem>
#include <optional>

#include "cli/context.hpp"
#include "diagnosis/engine.hpp"
#include "diagnosis/rules_check.hpp"

namespace p2pdiag::cli {

// Where rules come from: this installation's folder, then the user's.
std::vector<std::filesystem::path> rule_folders(const Context& context);

diagnosis::Known known_to_rules(const Context& context);

// Read and checked, or UsageError with every problem, one a line.
diagnosis::Rules load_rules(const Context& context);

// load_rules when they are first asked for, which costs about as much as starting three processes.
// Where the user has rules, at once: what is wrong with those has to be told before anything is
// sent.
class RulesOnDemand {
public:
    // `context` must outlive it.
    explicit RulesOnDemand(const Context& context);

    const diagnosis::Rules& get();

private:
    const Context& context_;
    std::optional<diagnosis::Rules> rules_;
};

// diagnosis::diagnose; how long it took is said with --verbose.
void diagnose_report(report::Report& report, const diagnosis::Rules& rules,
                     const std::vector<diagnosis::InVain>& in_vain = {});

}  // namespace p2pdiag::cli
