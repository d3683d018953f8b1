// `describe`, `explain` and `validate`: commands that look something up and print it.
#include <p2pdiag/abi.h>

#include <algorithm>
#include <optional>

#include "cli/commands.hpp"
#include "cli/pages.hpp"
#include "cli/rules.hpp"
#include "diagnosis/rules_folder.hpp"
#include "loader/trust.hpp"
#include "report/exit_code.hpp"
#include "report/text.hpp"

namespace p2pdiag::cli {

namespace {

std::string privileges(std::uint32_t bits) {
    std::string names;
    const std::pair<std::uint32_t, const char*> known[] = {
        {P2PDIAG_PRIVILEGE_NET_RAW, "CAP_NET_RAW"},
        {P2PDIAG_PRIVILEGE_NET_ADMIN, "CAP_NET_ADMIN"},
        {P2PDIAG_PRIVILEGE_ROOT, "root"}};
    for (const auto& [bit, name] : known) {
        if ((bits & bit) != 0) names += (names.empty() ? "" : ", ") + std::string(name);
    }
    return names.empty() ? "none" : names;
}

// A plugin's own words, which may hold what steers a terminal.
std::string line(const std::string& words) { return report::single_line(words, true) + '\n'; }

std::string did_you_mean(const std::string& name, const std::vector<std::string>& known) {
    const auto near = options::nearest(name, known);
    return near ? ": did you mean '" + *near + "'?" : std::string();
}

// Those in force, and `file` with them where it is none of these.
int validate_rules(const Context& context, const std::string& file) {
    diagnosis::Rules rules;
    diagnosis::Problems problems;
    diagnosis::read_folders(rule_folders(context), rules, problems);
    std::error_code error;
    bool in_force = file.empty();
    for (const auto& folder : rule_folders(context)) {
        const auto parent = std::filesystem::weakly_canonical(file, error).parent_path();
        in_force = in_force || parent == std::filesystem::weakly_canonical(folder, error);
    }
    if (!in_force) diagnosis::read_rules_file(file, rules, problems);
    for (auto& problem : diagnosis::check_rules(rules, known_to_rules(context))) {
        problems.push_back(std::move(problem));
    }
    std::string text;
    for (const profile::Problem& problem : problems) text += problem.to_string() + '\n';
    if (problems.empty()) {
        text = (file.empty() ? std::string("the rules in force") : file) + ": valid; " +
               std::to_string(rules.causes.size()) + " causes in all\n";
    }
    const int printed = print_result(text);
    return problems.empty() ? printed : report::exit_codes::findings;
}

// The rule of a cause alone; nothing where there is none. What is wrong with rules is for others to
// tell.
std::optional<diagnosis::Rules> rules_of_cause(const Context& context, const std::string& code) {
    if (!code.starts_with("cause.")) return std::nullopt;
    diagnosis::Rules rules;
    diagnosis::Problems problems;
    diagnosis::read_folders(rule_folders(context), rules, problems);
    std::erase_if(rules.causes, [&](const diagnosis::Rule& rule) { return rule.id != code; });
    return rules.causes.empty() ? std::nullopt : std::optional(std::move(rules));
}

void add_once(const std::string& name, std::vector<std::string>& names) {
    const bool known = std::ranges::find(names, name) != names.end();
    if (!name.empty() && !known) names.push_back(name);
}

// What it can stand on, as its rule has it: codes of findings, and checks.
struct Grounds {
    std::vector<std::string> codes;
    std::vector<std::string> checks;
};

Grounds grounds_of(const diagnosis::Rule& rule) {
    Grounds grounds;
    for (const diagnosis::When& when : rule.when) {
        for (const auto* conditions : {&when.all, &when.any}) {
            for (const diagnosis::Condition& one : *conditions) {
                add_once(one.code, grounds.codes);
                add_once(one.check, grounds.checks);
            }
        }
    }
    for (const diagnosis::Need& need : rule.needs) add_once(need.check, grounds.checks);
    return grounds;
}

// The cause's own words, then the page of what it stands on first, which says how that is measured
// and what to do on each system.
std::string cause_page(const Pages& pages, const diagnosis::Rule& rule) {
    const auto own = pages.of_code(rule.id);
    std::string text = rule.id + "\n\n" +
                       own.value_or(rule.title + ".\n\nA rule of your own: " + rule.at.file +
                                    ", line " + std::to_string(rule.at.line) + '\n');
    Grounds grounds = grounds_of(rule);
    const auto first = grounds.codes.begin();
    const auto page = first == grounds.codes.end() ? std::nullopt : pages.of_code(*first);
    if (page) {
        text += "\nOn what it stands first of all, " + *first + ":\n\n" + *page;
        grounds.codes.erase(first);
    }
    if (grounds.codes.empty() && grounds.checks.empty()) return text;
    text += "\nSee also\n";
    for (const std::string& code : grounds.codes) text += "  p2pdiag explain " + code + '\n';
    for (const std::string& check : grounds.checks) text += "  p2pdiag describe " + check + '\n';
    return text;
}

}  // namespace

int describe_command(const Context& context, const std::string& id) {
    const loader::Check* check = context.plugins.find_check(id);
    if (check == nullptr) {
        std::vector<std::string> ids;
        for (const loader::Plugin& plugin : context.plugins.loaded) {
            for (const loader::Check& each : plugin.checks) ids.push_back(each.id);
        }
        throw UsageError{"unknown check '" + id + "'" + did_you_mean(id, ids) +
                         refused_plugins(context)};
    }
    std::string text = check->id + ": " + line(check->title);
    text += "  plugin      " + context.plugins.owner_of(id)->id + '\n';
    text +=
        "  needs       " + (check->needs.empty() ? "nothing" : report::joined(check->needs)) + '\n';
    text += std::string("  default run ") +
            (check->deep ? "no, only with --deep or by name" : "yes") + '\n';
    text += "  rights used " + privileges(check->privileges) + '\n';
    if (const auto page = Pages(context).of_check(id)) text += '\n' + *page;
    return print_result(text);
}

int explain_command(const Context& context, const std::string& code) {
    const Pages pages(context);
    if (const auto rules = rules_of_cause(context, code)) {
        return print_result(cause_page(pages, rules->causes.front()));
    }
    const auto page = pages.of_code(code);
    if (page) return print_result(code + "\n\n" + *page);
    std::string hint = did_you_mean(code, pages.codes());
    const loader::Plugin* plugin = context.plugins.owner_of(code);
    if (hint.empty() && plugin != nullptr) {
        hint = ": plugin " + plugin->id + " has no page on it in " + pages_of(*plugin).native();
    }
    throw UsageError{"unknown code '" + code + "'" + hint};
}

int validate_command(const Context& context, const std::string& file) {
    if (file.empty() || file.ends_with(".toml")) return validate_rules(context, file);
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
        if (error == std::errc::no_such_file_or_directory)
            throw UsageError{file + ": no such file"};
        throw UsageError{file + ": " + (error ? error.message() : "is no regular file")};
    }
    const auto path = std::filesystem::absolute(file);
    const loader::Plugins plugins = loader::load_file(path, context.paths.plugin_cache);
    if (!plugins.rejected.empty()) {
        print(file + ": REJECTED: " + line(plugins.rejected.front().reason));
        return report::exit_codes::findings;
    }
    const loader::Plugin& plugin = plugins.loaded.front();
    std::string text = file + ": valid\n  plugin " + plugin.id + ' ' +
                       line(plugin.version + ": " + plugin.summary);
    for (const loader::Check& check : plugin.checks)
        text += "  check  " + check.id + ": " + line(check.title);
    for (const loader::Verb& verb : plugin.verbs)
        text += "  verb   " + verb.name + ": " + line(verb.summary);
    for (const loader::Change& change : plugin.changes)
        text += "  change " + change.id + ": " + line(change.title);
    // What would keep it from being found where it lies now.
    bool trusted = true;
    const auto real = std::filesystem::canonical(path, error);
    std::vector<std::filesystem::path> places{path.parent_path(), path};
    if (!error && real != path) places.insert(places.end(), {real.parent_path(), real});
    for (const auto& place : places) {
        if (const auto reason = loader::distrust(place)) {
            text += "  but " + place.native() + " is " + *reason + '\n';
            trusted = false;
        }
    }
    const int printed = print_result(text);
    return trusted ? printed : report::exit_codes::findings;
}

}  // namespace p2pdiag::cli
