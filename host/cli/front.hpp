#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/verb_line.hpp"
#include "cli/words.hpp"

namespace p2pdiag::cli {

// The command line as CLI11 sees it, with what was typed and what is to be done.
class Front {
public:
    Front(Context& context, const Words& words);

    int run();
    // What fits at the cursor: the last of the words, which is being typed.
    int complete(const std::vector<std::string>& words) const;

private:
    void add_globals();
    void add_run();
    void add_skip_and_deep(CLI::App& app, std::vector<std::string>& skip, bool& deep);
    void add_lookups();
    void add_shell_help();
    void add_fix();
    void add_undo();
    void add_verbs();
    CLI::App& command(const std::string& name, const std::string& summary,
                      std::function<int()> action);
    std::string words_after_dashes(const CLI::App& place, const std::string& word) const;
    std::string message_of(const CLI::ParseError& error) const;
    int parse_error(const CLI::ParseError& error) const;
    int run_verb(const loader::Plugin& plugin, const loader::Verb& verb, VerbLine& line) const;

    Context& context_;
    const Words& words_;
    CLI::App app_{"Finds out why two computers cannot talk directly, and proves when they can.",
                  "p2pdiag"};
    RunArguments run_;
    ListArguments list_;
    UndoArguments undo_;
    FixArguments fix_;
    std::string name_;  // the argument of describe, explain, validate, completion
    Suggestions suggestions_;
    std::vector<std::string> ignored_plugin_dirs_;
    std::vector<std::unique_ptr<VerbLine>> verb_lines_;
    std::set<std::string> commands_;
    std::function<int()> action_;
};

}  // namespace p2pdiag::cli
