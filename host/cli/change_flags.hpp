// The options that the host adds to every command that changes something, or takes it back.
#pragma once

#include <string>

#include "cli/completion.hpp"

namespace p2pdiag::cli {

struct ChangeFlags {
    bool yes = false;
    bool dry_run = false;
    bool keep = false;
    std::string format = "console";  // or json

    bool json() const { return format == "json"; }
};

// --yes, --dry-run and --format, and where it `keeps` also --keep. `flags` must outlive the parse.
void add_change_flags(CLI::App& app, ChangeFlags& flags, bool keeps, Suggestions& suggestions);

}  // namespace p2pdiag::cli
