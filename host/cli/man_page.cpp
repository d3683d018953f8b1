#include <CLI/CLI.hpp>

#include "cli/completion.hpp"
#include "profile/profile.hpp"

namespace p2pdiag::cli {

namespace {

// Text that roff shows as it is: no line of it is a request, no hyphen becomes a dash.
std::string plain(std::string_view text) {
    std::string out;
    bool line_begins = true;
    for (const char c : text) {
        if (line_begins && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') {
            out += "\\(rs";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        line_begins = c == '\n';
    }
    return out;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

// A value's type, or what is to be chosen from, without what CLI11 adds of its checks.
std::string type_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t check = type.find(":{");
    return check == type.npos ? type : type.substr(check + 1);
}

std::string names_of(const CLI::Option& option) {
    std::string names;
    const auto add = [&](const std::string& dashes, const std::string& name) {
        names += (names.empty() ? "" : ", ") + bold(dashes + name);
    };
    for (const std::string& name : option.get_snames()) add("-", name);
    for (const std::string& name : option.get_lnames()) add("--", name);
    return names;
}

void add_entry(std::string& page, const CLI::Option& option) {
    page += ".TP\n";
    page += option.nonpositional() ? names_of(option) : italic(option.get_name(true));
    const bool has_value = option.get_items_expected_max() > 0;
    if (option.nonpositional() && has_value) page += ' ' + italic(type_of(option));
    page += '\n' + plain(option.get_description());
    if (option.get_required()) page += " (required)";
    page += '\n';
}

// As typed: examples and tables keep their lines.
void add_footer(std::string& page, const CLI::App& app) {
    const std::string footer = app.get_footer();
    if (footer.empty()) return;
    page += ".PP\n.nf\n" + plain(footer);
    if (!footer.ends_with('\n')) page += '\n';
    page += ".fi\n";
}

std::string synopsis(const CLI::App& app) {
    std::string path;
    for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
        path = at->get_name() + (path.empty() ? "" : " ") + path;
    }
    std::string line = bold(path) + " [" + italic("options") + ']';
    if (!app.get_subcommands({}).empty()) line += ' ' + italic("command");
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_positional()) continue;
        std::string name = italic(option->get_name(true));
        if (option->get_expected_max() > 1) name += " ...";
        line += option->get_required() ? ' ' + name : " [" + name + ']';
    }
    return line;
}

void add_command(std::string& page, const CLI::App& app) {
    page += ".SS " + synopsis(app) + '\n' + plain(app.get_description()) + ".\n";
    for (const CLI::Option* option : app.get_options()) {
        if (option != app.get_help_ptr()) add_entry(page, *option);
    }
    add_footer(page, app);
    for (const CLI::App* sub : app.get_subcommands({})) add_command(page, *sub);
}

void add_environment(std::string& page) {
    for (const profile::Variable& variable : profile::variables()) {
        page += ".TP\n" + bold(variable.name) + "\nIn place of the profile's " +
                bold(std::string(variable.section) + '.' + variable.key) + ".\n";
    }
    page += ".TP\n" + bold("P2PDIAG_PLUGIN_PATH") +
            "\nMore directories of plugins, separated by colons.\n";
    page += ".TP\n" + bold("NO_COLOR") + "\nNo colour, unless " + bold("--color always") +
            " asks for it.\n";
}

}  // namespace

std::string man_page(const CLI::App& app) {
    std::string page = ".TH P2PDIAG 1 \"\" \"" + plain("p2pdiag " P2PDIAG_VERSION) +
                       "\" \"User Commands\"\n.SH NAME\np2pdiag \\- " +
                       plain(app.get_description()) + "\n.SH SYNOPSIS\n" + synopsis(app) + '\n';
    page +=
        ".SH DESCRIPTION\nThe report goes to standard output, everything else to standard "
        "error.\n";
    add_footer(page, app);
    page += ".SH OPTIONS\nThese may stand before or after the command.\n";
    for (const CLI::Option* option : app.get_options()) add_entry(page, *option);
    page += ".SH COMMANDS\n";
    for (const CLI::App* sub : app.get_subcommands({})) add_command(page, *sub);
    page += ".SH ENVIRONMENT\n";
    add_environment(page);
    page += ".SH FILES\n.TP\n" + plain("$XDG_CONFIG_HOME/p2pdiag/config.toml") +
            "\nYour own settings, beneath those of the profile.\n.TP\n" +
            plain("$XDG_CONFIG_HOME/p2pdiag/profiles/NAME.toml") +
            "\nProfiles of yours, by name.\n";
    return page;
}

}  // namespace p2pdiag::cli
