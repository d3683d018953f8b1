// A plugin's verb as a CLI11 subcommand: its schema becomes options, help and checked values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "options/options.hpp"

namespace CLI {
class App;
}

namespace p2pdiag::cli {

// The typed command line of one verb while CLI11 parses it. Must outlive the parse.
class VerbLine {
public:
    VerbLine(CLI::App& parent, const std::string& name, const std::string& summary,
             const options::VerbSchema& schema);
    ~VerbLine();
    VerbLine(const VerbLine&) = delete;
    VerbLine& operator=(const VerbLine&) = delete;

    CLI::App& app() { return app_; }

    // {"command","options","rest"} of docs/plugin-author/reference.md. `rest` is what stood after
    // "--", nothing when there was no "--". Throws UsageError for a value that does not fit.
    json::object take(const std::vector<std::string>* rest) const;

private:
    struct Line;

    CLI::App& app_;
    std::vector<std::unique_ptr<Line>> lines_;  // the verb itself, then its commands
};

}  // namespace p2pdiag::cli
