#include "cli/change_flags.hpp"

#include <CLI/CLI.hpp>

namespace p2pdiag::cli {

void add_change_flags(CLI::App& app, ChangeFlags& flags, bool keeps, Suggestions& suggestions) {
    app.add_flag("--yes", flags.yes, "Do not ask, do it");
    app.add_flag("--dry-run", flags.dry_run, "Only say what would be done");
    CLI::Option& format = *app.add_option("--format", flags.format, "console or json [console]");
    suggestions.one_of(*format.type_name("FORMAT"), {"console", "json"});
    if (keeps) app.add_flag("--keep", flags.keep, "Keep it up until Ctrl-C, then take it back");
}

}  // namespace p2pdiag::cli
