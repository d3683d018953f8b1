// A plugin's verb as a CLI11 subcommand: its schema becomes options, help and checked values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "cli/change_flags.hpp"
#include "cli/completion.hpp"
#include "loader/loader.hpp"

namespace p2pdiag::cli {

// The typed command line of one verb while CLI11 parses it. Must outlive the parse.
class VerbLine {
public:
    // `plugin` and `verb` must outlive it. `dashes`: a "--" was typed, after which arguments may
    // stand that CLI11 does not see.
    VerbLine(CLI::App& parent, Suggestions& suggestions, const loader::Plugin& plugin,
             const loader::Verb& verb, bool dashes);
    ~VerbLine();
    VerbLine(const VerbLine&) = delete;
    VerbLine& operator=(const VerbLine&) = delete;

    CLI::App& app() { return app_; }

    // After the parse, what stood after "--": arguments, whatever they begin with, where the
    // command does not take it as it is. Throws UsageError for one too many or too few.
    void add_words(const std::vector<std::string>& words);

    // {"command","options","rest"} of docs/plugin-author/reference.md. Throws UsageError for a
    // value that does not fit.
    json::object take() const;

    // The options that were typed, without defaults. Throws as take().
    json::object given() const;

    // The command that was typed; the verb itself when it has no commands.
    const options::Command& command() const;
    const ChangeFlags& flags() const;
    // Whether words after "--" are taken as they are.
    bool takes_rest() const;

private:
    struct Line;

    Line& chosen() const;

    CLI::App& app_;
    std::vector<std::unique_ptr<Line>> lines_;  // the verb itself, then its commands
    std::vector<std::string> rest_;
};

}  // namespace p2pdiag::cli
