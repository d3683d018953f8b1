#include "cli/rules.hpp"

#include "base/clock.hpp"
#include "cli/log.hpp"
#include "cli/pages.hpp"
#include "diagnosis/engine.hpp"
#include "diagnosis/rules_folder.hpp"

namespace p2pdiag::cli {

namespace {

void add_verb(const std::string& name, const options::Command& command, diagnosis::Known& known) {
    diagnosis::KnownVerb verb{name, {}};
    for (const options::Option& option : command.options) verb.options.push_back(option.name);
    known.verbs.push_back(std::move(verb));
}

std::filesystem::path shipped_rules(const Context& context) {
    return context.paths.data_dir / "profiles" / "diagnosis";
}

}  // namespace

std::vector<std::filesystem::path> rule_folders(const Context& context) {
    std::vector<std::filesystem::path> folders{shipped_rules(context)};
    if (context.paths.user_diagnosis) folders.push_back(*context.paths.user_diagnosis);
    return folders;
}

diagnosis::Known known_to_rules(const Context& context) {
    diagnosis::Known known;
    const Pages pages(context);
    for (std::string& code : pages.codes()) {
        if (!code.starts_with("cause.")) known.codes.push_back(std::move(code));
    }
    known.checks = pages.checks();
    // Those of the plugins alone are no whole list.
    const bool has_pages = !known.checks.empty();
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        for (const loader::Check& check : plugin.checks) {
            if (has_pages) known.checks.push_back(check.id);
        }
        for (const loader::Verb& verb : plugin.verbs) {
            add_verb(verb.name, verb.schema.top, known);
            for (const options::Command& command : verb.schema.commands) {
                add_verb(verb.name + ' ' + command.name, command, known);
            }
        }
    }
    return known;
}

diagnosis::Rules load_rules(const Context& context) {
    diagnosis::Rules rules;
    diagnosis::Problems problems;
    diagnosis::read_folders({shipped_rules(context)}, rules, problems);
    const std::size_t shipped = rules.causes.size();
    if (context.paths.user_diagnosis) {
        diagnosis::read_folders({*context.paths.user_diagnosis}, rules, problems);
    }
    for (std::size_t i = shipped; i < rules.causes.size(); ++i) rules.causes[i].own = true;
    diagnosis::Known known = known_to_rules(context);
    // A plugin that is not there, or was refused, is no fault of the rules; 'validate' says it.
    known.verbs.clear();
    for (auto& problem : diagnosis::check_rules(rules, known)) problems.push_back(problem);
    if (problems.empty()) {
        if (rules.causes.empty())
            complain("there are no rules to diagnose by; causes are not told");
        return rules;
    }
    std::string all;
    for (const profile::Problem& problem : problems) {
        all += (all.empty() ? "" : "\n") + problem.to_string();
    }
    throw UsageError{all};
}

RulesOnDemand::RulesOnDemand(const Context& context) : context_(context) {
    std::error_code error;
    const auto& own = context.paths.user_diagnosis;
    const bool has_own = own && !std::filesystem::is_empty(*own, error) && !error;
    // A folder that cannot be looked into is told as well.
    if (has_own || (error && error != std::errc::no_such_file_or_directory)) get();
}

const diagnosis::Rules& RulesOnDemand::get() {
    if (!rules_) rules_ = load_rules(context_);
    return *rules_;
}

void diagnose_report(report::Report& report, const diagnosis::Rules& rules,
                     const std::vector<diagnosis::InVain>& in_vain) {
    const TimePoint began = Clock::now();
    diagnosis::diagnose(report, rules, in_vain);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
    remark("diagnosis by " + std::to_string(rules.causes.size()) + " rules took " +
           std::to_string(took.count()) + " us");
}

}  // namespace p2pdiag::cli
