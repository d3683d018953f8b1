// `describe`, `explain` and `validate`: commands that look something up and print it.
#include <p2pdiag/abi.h>

#include "cli/commands.hpp"
#include "cli/pages.hpp"
#include "report/exit_code.hpp"

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

std::string did_you_mean(const std::string& name, const std::vector<std::string>& known) {
    const auto near = options::nearest(name, known);
    return near ? ": did you mean '" + *near + "'?" : std::string();
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
    std::string needs;
    for (const std::string& need : check->needs) needs += (needs.empty() ? "" : ", ") + need;
    std::string text = check->id + ": " + check->title + '\n';
    text += "  plugin      " + context.plugins.owner_of(id)->id + '\n';
    text += "  needs       " + (needs.empty() ? "nothing" : needs) + '\n';
    text += std::string("  default run ") +
            (check->deep ? "no, only with --deep or by name" : "yes") + '\n';
    text += "  rights used " + privileges(check->privileges) + '\n';
    if (const auto page = check_page(context.paths.data_dir, id)) text += '\n' + *page;
    return print_result(text);
}

int explain_command(const Context& context, const std::string& code) {
    const auto page = code_page(context.paths.data_dir, code);
    if (!page) {
        throw UsageError{"unknown code '" + code + "'" +
                         did_you_mean(code, known_codes(context.paths.data_dir))};
    }
    return print_result(code + "\n\n" + *page);
}

int validate_command(const std::string& file) {
    if (!std::filesystem::is_regular_file(file)) throw UsageError{file + ": no such file"};
    const auto path = std::filesystem::absolute(file);
    const loader::Plugins plugins = loader::load_file(path);
    if (!plugins.rejected.empty()) {
        print(file + ": REJECTED: " + plugins.rejected.front().reason + '\n');
        return report::exit_codes::findings;
    }
    const loader::Plugin& plugin = plugins.loaded.front();
    std::string text = file + ": valid\n  plugin " + plugin.id + ' ' + plugin.version + ": " +
                       plugin.summary + '\n';
    for (const loader::Check& check : plugin.checks)
        text += "  check  " + check.id + ": " + check.title + '\n';
    for (const loader::Verb& verb : plugin.verbs)
        text += "  verb   " + verb.name + ": " + verb.summary + '\n';
    for (const loader::Change& change : plugin.changes)
        text += "  change " + change.id + ": " + change.title + '\n';
    // What would keep it from being found where it lies now.
    bool trusted = true;
    for (const auto& place : {path.parent_path(), path}) {
        if (const auto reason = loader::distrust(place)) {
            text += "  but " + place.native() + " is " + *reason + '\n';
            trusted = false;
        }
    }
    const int printed = print_result(text);
    return trusted ? printed : report::exit_codes::findings;
}

}  // namespace p2pdiag::cli
