// The host's own commands. Each returns the exit code, or throws UsageError.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "change/plan.hpp"
#include "cli/change_flags.hpp"
#include "cli/context.hpp"
#include "runner/runner.hpp"

namespace p2pdiag::cli {

struct RunArguments {
    std::vector<std::string> checks;
    std::vector<std::string> only;
    std::vector<std::string> skip;
    bool deep = false;
    std::optional<std::int64_t> port;
    std::optional<std::string> peer;
    std::vector<std::string> stun;
    std::string deadline;  // as typed: "20s"
    std::string format = "console";
    std::vector<std::string> outputs;  // "FORMAT=PATH"
    std::string fail_on;
    std::string capture;  // a file; empty = nothing is recorded
    bool capture_on_failure = false;
    std::string isolation = "child";
    std::string offline;   // a report to diagnose again; nothing is run
    std::string baseline;  // an earlier report to compare with
    std::string watch;     // as typed: "30s"; empty = one run
};
int run_command(const Context& context, const RunArguments& arguments);

struct ListArguments {
    std::string what;  // plugins, checks, verbs, profiles; empty = plugins and checks
    std::string format = "console";
};
int list_command(const Context& context, const ListArguments& arguments);

int describe_command(const Context& context, const std::string& check);
int explain_command(const Context& context, const std::string& code);
// A plugin, a file of rules, or, without a file, the rules in force.
int validate_command(const Context& context, const std::string& file);

// Runs a plugin's verb in a child that has the terminal. `arguments` holds "command", "options" and
// "rest"; the other members of docs/plugin-author/reference.md are added.
int verb_command(const Context& context, const loader::Plugin& plugin, const std::string& verb,
                 json::object arguments);

// Carries out a change; `arguments` are the options of the command that names it.
int change_command(const Context& context, const change::Target& target,
                   const json::object& arguments, const ChangeFlags& flags);

struct FixArguments {
    std::vector<std::string> only;  // ids of remedies; empty = all
    std::vector<std::string> skip;  // globs of checks
    bool deep = false;
    std::optional<std::int64_t> port;
    ChangeFlags flags;
};
// Carries out the automatic remedies of a diagnosis made now, and measures again.
int fix_command(const Context& context, const FixArguments& arguments);

struct UndoArguments {
    std::vector<std::string> ids;  // none of these three: what the last command did
    bool all = false;
    bool list = false;
    bool forget = false;  // the ids, rather than taking them back
    ChangeFlags flags;
};
int undo_command(const Context& context, const UndoArguments& arguments);

// Takes back the open records of a change whose match agrees with the options that were typed.
int undo_matching_command(const Context& context, const std::string& change,
                          const json::object& given, const ChangeFlags& flags);

}  // namespace p2pdiag::cli
