#include <algorithm>

#include "cli/commands.hpp"
#include "report/exit_code.hpp"
#include "report/text.hpp"

namespace p2pdiag::cli {

namespace {

struct Row {
    std::string name;
    std::string text;
};

std::string table(std::string_view title, const std::vector<Row>& rows) {
    std::size_t width = 0;
    for (const Row& row : rows) {
        width = std::max(width, report::columns(report::single_line(row.name, true)));
    }
    std::string out = std::string(title) + '\n';
    for (const Row& row : rows) {
        // Names and texts are a plugin's or a file's: nothing of them may steer the terminal.
        const std::string name = report::single_line(row.name, true);
        out += "  " + report::padded(name, width + 2) + report::single_line(row.text, true) + '\n';
    }
    return out;
}

struct Section {
    std::string_view name;
    std::vector<Row> rows;
    json::array entries;
};

Section plugin_section(const Context& context) {
    Section section{"plugins", {}, {}};
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        section.rows.push_back({plugin.id + ' ' + plugin.version, plugin.summary});
        section.entries.push_back(json::object{{"id", plugin.id},
                                               {"version", plugin.version},
                                               {"summary", plugin.summary},
                                               {"file", plugin.file.native()}});
    }
    for (const loader::Rejected& rejected : context.plugins.rejected) {
        section.rows.push_back({rejected.path.filename().native(), "REJECTED: " + rejected.reason});
        section.entries.push_back(
            json::object{{"file", rejected.path.native()}, {"rejected", rejected.reason}});
    }
    return section;
}

Section check_section(const Context& context) {
    Section section{"checks", {}, {}};
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        for (const loader::Check& check : plugin.checks) {
            const std::string needs =
                check.needs.empty() ? "" : " (needs " + report::joined(check.needs) + ')';
            section.rows.push_back(
                {check.id, check.title + (check.deep ? " [--deep]" : "") + needs});
            section.entries.push_back(
                json::object{{"id", check.id},
                             {"title", check.title},
                             {"plugin", plugin.id},
                             {"deep", check.deep},
                             {"needs", json::array(check.needs.begin(), check.needs.end())}});
        }
    }
    return section;
}

Section verb_section(const Context& context) {
    Section section{"verbs", {}, {}};
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        for (const loader::Verb& verb : plugin.verbs) {
            section.rows.push_back({verb.name, verb.summary});
            section.entries.push_back(json::object{
                {"name", verb.name}, {"summary", verb.summary}, {"plugin", plugin.id}});
        }
    }
    return section;
}

Section profile_section(const Context& context) {
    Section section{"profiles", {}, {}};
    for (const auto& [name, text] : profile::list(profile_request(context))) {
        section.rows.push_back({name, text});
        section.entries.push_back(json::object{{"name", name}, {"summary", text}});
    }
    return section;
}

}  // namespace

int list_command(const Context& context, const ListArguments& arguments) {
    std::vector<Section> sections;
    const std::string& what = arguments.what;
    if (what.empty() || what == "plugins") sections.push_back(plugin_section(context));
    if (what.empty() || what == "checks") sections.push_back(check_section(context));
    if (what.empty() || what == "verbs") sections.push_back(verb_section(context));
    if (what.empty() || what == "profiles") sections.push_back(profile_section(context));

    if (arguments.format == "json") {
        json::object document{{"format_version", "1.0"}};
        for (const Section& section : sections) document[section.name] = section.entries;
        return print_result(json::to_pretty_text(document));
    }
    std::string text;
    for (const Section& section : sections) {
        text += (text.empty() ? "" : "\n") + table(section.name, section.rows);
    }
    // Why what should be here is not; the plugins' own table says it itself.
    const std::string refused = refused_plugins(context);
    if ((what == "checks" || what == "verbs") && !refused.empty()) text += refused + '\n';
    return print_result(text);
}

}  // namespace p2pdiag::cli
