// The host's own commands. Each returns the exit code, or throws UsageError.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "runner/runner.hpp"

namespace p2pdiag::cli {

struct RunArguments {
    std::vector<std::string> checks;
    std::vector<std::string> only;
    std::vector<std::string> skip;
    bool deep = false;
    std::optional<std::int64_t> port;
    std::vector<std::string> stun;
    std::string deadline;  // as typed: "20s"
    std::string format = "console";
    std::vector<std::string> outputs;  // "FORMAT=PATH"
    std::string fail_on;
    std::string isolation = "child";
};
int run_command(const Context& context, const RunArguments& arguments);

struct ListArguments {
    std::string what;  // plugins, checks, verbs, profiles; empty = plugins and checks
    std::string format = "console";
};
int list_command(const Context& context, const ListArguments& arguments);

int describe_command(const Context& context, const std::string& check);
int explain_command(const Context& context, const std::string& code);
int validate_command(const std::string& file);

// Runs a plugin's verb in a child that has the terminal. `arguments` is the JSON of
// docs/plugin-author/reference.md.
int verb_command(const loader::Plugin& plugin, const std::string& verb,
                 const std::string& arguments);

}  // namespace p2pdiag::cli
