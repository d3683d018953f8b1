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
    // `plugin` and `verb` must outlive it.
    VerbLine(CLI::App& parent, Suggestions& suggestions, const loader::Plugin& plugin,
             const loader::Verb& verb);
    ~VerbLine();
    VerbLine(const VerbLine&) = delete;
    VerbLine& operator=(const VerbLine&) = delete;

    CLI::App& app() { return app_; }

    // {"command","options","rest"} of docs/plugin-author/reference.md. `rest` is what stood after
    // "--", nothing when there was no "--". Throws UsageError for a value that does not fit.
    json::object take(const std::vector<std::string>* rest) const;

    // The options that were typed, without defaults. Throws as take().
    json::object given() const;

    // The command that was typed; the verb itself when it has no commands.
    const options::Command& command() const;
    const ChangeFlags& flags() const;

private:
    struct Line;

    const Line& chosen() const;

    CLI::App& app_;
    std::vector<std::unique_ptr<Line>> lines_;  // the verb itself, then its commands
};

}  // namespace p2pdiag::cli
