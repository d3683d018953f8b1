#include "child/table.hpp"

#include <algorithm>
#include <boost/dll/library_info.hpp>
#include <boost/dll/shared_library.hpp>
#include <cstddef>
#include <deque>
#include <fstream>
#include <set>
#include <string_view>

#include "base/utf8.hpp"
#include "options/name.hpp"

namespace p2pdiag::child {

namespace {

// Where the structs of ABI 1.0 ended: less than that cannot hold what every plugin must have.
// Fields added later are read only where struct_size reaches them.
constexpr std::size_t plugin_size_1_0 =
    offsetof(p2pdiag_plugin, verb_count) + sizeof(std::uint32_t);
constexpr std::size_t check_size_1_0 = offsetof(p2pdiag_check, run) + sizeof(void*);
constexpr std::size_t verb_size_1_0 = offsetof(p2pdiag_verb, run) + sizeof(void*);
// With ABI 1.1 came changes.
constexpr std::size_t plugin_size_1_1 =
    offsetof(p2pdiag_plugin, change_count) + sizeof(std::uint32_t);
constexpr std::size_t change_size_1_1 = offsetof(p2pdiag_change, keep) + sizeof(void*);
// With ABI 1.2 came recorders.
constexpr std::size_t plugin_size_1_2 = offsetof(p2pdiag_plugin, recorders) + sizeof(void*);
constexpr std::size_t recorder_size_1_2 = offsetof(p2pdiag_recorder, run) + sizeof(void*);
// More than any real plugin has; bounds the walk through a table that is not one.
constexpr std::uint32_t max_entries = 256;
constexpr std::size_t max_text = 64 * 1024;

// Collects the first thing that is wrong.
class Judge {
public:
    void require(bool condition, std::string_view complaint) {
        if (!condition && refusal_.empty()) refusal_ = complaint;
    }
    bool fine() const { return refusal_.empty(); }
    const std::string& refusal() const { return refusal_; }

    // A string that must be there and be UTF-8.
    void require_text(p2pdiag_str str, const std::string& name) {
        require(str.data != nullptr && str.size > 0, name + " is null or empty");
        require(str.size <= max_text, name + " is longer than 64 KiB");
        if (fine()) require(is_utf8(text(str)), name + " is not valid UTF-8");
    }

private:
    std::string refusal_;
};

void judge_check(Judge& judge, const p2pdiag_check* check, std::string_view plugin_id) {
    judge.require(check != nullptr, "a check is null");
    if (!judge.fine()) return;
    judge.require(check->struct_size >= check_size_1_0, "the struct of a check is too short");
    if (!judge.fine()) return;
    judge.require_text(check->id, "the id of a check");
    judge.require_text(check->title, "the title of a check");
    if (!judge.fine()) return;
    const std::string id(text(check->id));
    judge.require(options::is_dotted_name(id),
                  "check id '" + id + "' is not <plugin>.<name> in [a-z0-9-]");
    judge.require(id.starts_with(std::string(plugin_id) + '.'),
                  "check id '" + id + "' does not start with the plugin's id");
    judge.require(check->run != nullptr, "check " + id + " has no run function");
    judge.require(check->needs_count <= max_entries, "check " + id + " needs too many checks");
    judge.require(check->needs_count == 0 || check->needs != nullptr,
                  "check " + id + ": needs is null");
    for (std::uint32_t i = 0; judge.fine() && i < check->needs_count; ++i) {
        judge.require_text(check->needs[i], "a need of check " + id);
        if (judge.fine()) {
            judge.require(options::is_dotted_name(text(check->needs[i])),
                          "a need of " + id + " is no check id");
        }
    }
}

void judge_verb(Judge& judge, const p2pdiag_verb* verb) {
    judge.require(verb != nullptr, "a verb is null");
    if (!judge.fine()) return;
    judge.require(verb->struct_size >= verb_size_1_0, "the struct of a verb is too short");
    if (!judge.fine()) return;
    judge.require_text(verb->name, "the name of a verb");
    judge.require_text(verb->summary, "the summary of a verb");
    judge.require_text(verb->schema, "the schema of a verb");
    if (!judge.fine()) return;
    const std::string name(text(verb->name));
    judge.require(options::is_name(name), "verb name '" + name + "' is not in [a-z0-9-]");
    judge.require(verb->run != nullptr, "verb " + name + " has no run function");
}

void judge_change(Judge& judge, const p2pdiag_change* change, std::string_view plugin_id) {
    judge.require(change != nullptr, "a change is null");
    if (!judge.fine()) return;
    judge.require(change->struct_size >= change_size_1_1, "the struct of a change is too short");
    if (!judge.fine()) return;
    judge.require_text(change->id, "the id of a change");
    judge.require_text(change->title, "the title of a change");
    if (!judge.fine()) return;
    const std::string id(text(change->id));
    judge.require(options::is_dotted_name(id),
                  "change id '" + id + "' is not <plugin>.<name> in [a-z0-9-]");
    judge.require(id.starts_with(std::string(plugin_id) + '.'),
                  "change id '" + id + "' does not start with the plugin's id");
    judge.require(change->plan != nullptr, "change " + id + " has no plan function");
    judge.require(change->apply != nullptr, "change " + id + " has no apply function");
    judge.require(change->verify != nullptr, "change " + id + " has no verify function");
    judge.require(change->revert != nullptr, "change " + id + " has no revert function");
}

void judge_changes(Judge& judge, const p2pdiag_plugin& plugin) {
    const auto changes = changes_of(plugin);
    judge.require(changes.size() <= max_entries, "it lists more than 256 changes");
    judge.require(changes.empty() || changes.data() != nullptr, "its changes are null");
    std::set<std::string_view> ids;
    for (std::size_t i = 0; judge.fine() && i < changes.size(); ++i) {
        judge_change(judge, changes[i], text(plugin.id));
        if (!judge.fine()) return;
        const std::string_view id = text(changes[i]->id);
        judge.require(ids.insert(id).second, "duplicate change id '" + std::string(id) + "'");
    }
}

void judge_recorder(Judge& judge, const p2pdiag_recorder* recorder, std::string_view plugin_id) {
    judge.require(recorder != nullptr, "a recorder is null");
    if (!judge.fine()) return;
    judge.require(recorder->struct_size >= recorder_size_1_2,
                  "the struct of a recorder is too short");
    if (!judge.fine()) return;
    judge.require_text(recorder->id, "the id of a recorder");
    judge.require_text(recorder->title, "the title of a recorder");
    if (!judge.fine()) return;
    const std::string id(text(recorder->id));
    judge.require(options::is_dotted_name(id),
                  "recorder id '" + id + "' is not <plugin>.<name> in [a-z0-9-]");
    judge.require(id.starts_with(std::string(plugin_id) + '.'),
                  "recorder id '" + id + "' does not start with the plugin's id");
    judge.require(recorder->run != nullptr, "recorder " + id + " has no run function");
}

void judge_recorders(Judge& judge, const p2pdiag_plugin& plugin) {
    const auto recorders = recorders_of(plugin);
    judge.require(recorders.size() <= max_entries, "it lists more than 256 recorders");
    judge.require(recorders.empty() || recorders.data() != nullptr, "its recorders are null");
    std::set<std::string_view> ids;
    for (std::size_t i = 0; judge.fine() && i < recorders.size(); ++i) {
        judge_recorder(judge, recorders[i], text(plugin.id));
        if (!judge.fine()) return;
        const std::string_view id = text(recorders[i]->id);
        judge.require(ids.insert(id).second, "duplicate recorder id '" + std::string(id) + "'");
    }
}

void judge_plugin(Judge& judge, const p2pdiag_plugin& plugin) {
    // struct_size and the version come first: nothing past them may be read when they are wrong.
    judge.require(plugin.struct_size >= plugin_size_1_0,
                  "its table is " + std::to_string(plugin.struct_size) +
                      " bytes, shorter than the " + std::to_string(plugin_size_1_0) +
                      " of ABI 1.0");
    judge.require(plugin.abi_major == P2PDIAG_ABI_MAJOR,
                  "built for ABI major " + std::to_string(plugin.abi_major) +
                      ", this p2pdiag has " + std::to_string(P2PDIAG_ABI_MAJOR));
    judge.require(plugin.abi_minor <= P2PDIAG_ABI_MINOR,
                  "needs ABI 1." + std::to_string(plugin.abi_minor) + ", this p2pdiag has 1." +
                      std::to_string(P2PDIAG_ABI_MINOR) + ": update p2pdiag");
    if (!judge.fine()) return;
    judge.require_text(plugin.id, "the plugin's id");
    judge.require_text(plugin.version, "the plugin's version");
    judge.require_text(plugin.summary, "the plugin's summary");
    judge.require_text(plugin.options, "the plugin's options");
    judge.require(plugin.check_count <= max_entries && plugin.verb_count <= max_entries,
                  "it lists more than 256 checks or verbs");
    judge.require(plugin.check_count == 0 || plugin.checks != nullptr, "its checks are null");
    judge.require(plugin.verb_count == 0 || plugin.verbs != nullptr, "its verbs are null");
    if (!judge.fine()) return;
    judge.require(options::is_name(text(plugin.id)),
                  "plugin id '" + std::string(text(plugin.id)) + "' is not in [a-z0-9-]");
    std::set<std::string_view> names;
    for (std::uint32_t i = 0; judge.fine() && i < plugin.check_count; ++i) {
        judge_check(judge, plugin.checks[i], text(plugin.id));
        if (!judge.fine()) return;
        const std::string_view id = text(plugin.checks[i]->id);
        judge.require(names.insert(id).second, "duplicate check id '" + std::string(id) + "'");
    }
    for (std::uint32_t i = 0; judge.fine() && i < plugin.verb_count; ++i) {
        judge_verb(judge, plugin.verbs[i]);
        if (!judge.fine()) return;
        const std::string_view name = text(plugin.verbs[i]->name);
        judge.require(names.insert(name).second, "duplicate verb '" + std::string(name) + "'");
    }
    if (judge.fine()) judge_changes(judge, plugin);
    if (judge.fine()) judge_recorders(judge, plugin);
}

bool is_elf(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    char magic[4] = {};
    stream.read(magic, sizeof magic);
    return stream && std::string_view(magic, 4) ==
                         "\x7f"
                         "ELF";
}

// Looks at the ELF symbols without running anything of the plugin's.
bool exports_entry(const std::filesystem::path& file) {
    boost::dll::library_info info(file);
    const std::vector<std::string> symbols = info.symbols();
    return std::find(symbols.begin(), symbols.end(), P2PDIAG_ENTRY_SYMBOL) != symbols.end();
}

// Boost.DLL wraps dlerror(), which says what symbol or library is missing, into text of its own.
std::string loader_message(std::string_view what) {
    constexpr std::string_view before = "(dlerror system message: ";
    const std::size_t begin = what.find(before);
    const std::size_t end = what.rfind(')');
    if (what.find("iostream") != what.npos) return "it is cut off, or no sound ELF file";
    if (begin == what.npos || end == what.npos) return std::string(what);
    return std::string(what.substr(begin + before.size(), end - begin - before.size()));
}

json::value to_json(p2pdiag_str str) { return json::value(text(str)); }

}  // namespace

std::span<const p2pdiag_change* const> changes_of(const p2pdiag_plugin& plugin) {
    if (plugin.struct_size < plugin_size_1_1) return {};
    return {plugin.changes, plugin.change_count};
}

std::span<const p2pdiag_recorder* const> recorders_of(const p2pdiag_plugin& plugin) {
    if (plugin.struct_size < plugin_size_1_2) return {};
    return {plugin.recorders, plugin.recorder_count};
}

Table open_table(const std::filesystem::path& file) {
    try {
        if (!is_elf(file)) return Refusal{"not an ELF file"};
        if (!exports_entry(file)) {
            return Refusal{"exports no symbol " P2PDIAG_ENTRY_SYMBOL};
        }
    } catch (const std::exception& problem) {
        return Refusal{"cannot be loaded: " + loader_message(problem.what())};
    }
    return reopen_table(file);
}

Table reopen_table(const std::filesystem::path& file) {
    static std::deque<boost::dll::shared_library> kept;
    try {
        using boost::dll::load_mode::type;
        kept.emplace_back(file, type::rtld_now | type::rtld_local);
        const auto& plugin = kept.back().get<const p2pdiag_plugin>(P2PDIAG_ENTRY_SYMBOL);
        Judge judge;
        judge_plugin(judge, plugin);
        if (!judge.fine()) return Refusal{judge.refusal()};
        return &plugin;
    } catch (const std::exception& problem) {
        return Refusal{"cannot be loaded: " + loader_message(problem.what())};
    }
}

json::object to_json(const p2pdiag_plugin& plugin) {
    json::object description{{"type", "plugin"},
                             {"id", to_json(plugin.id)},
                             {"version", to_json(plugin.version)},
                             {"summary", to_json(plugin.summary)},
                             {"options", to_json(plugin.options)}};
    json::array checks;
    for (std::uint32_t i = 0; i < plugin.check_count; ++i) {
        const p2pdiag_check& check = *plugin.checks[i];
        json::array needs;
        for (std::uint32_t n = 0; n < check.needs_count; ++n)
            needs.push_back(to_json(check.needs[n]));
        checks.push_back(json::object{{"id", to_json(check.id)},
                                      {"title", to_json(check.title)},
                                      {"needs", std::move(needs)},
                                      {"deep", check.deep != 0},
                                      {"privileges", check.privileges},
                                      {"deadline_ms", check.deadline_ms}});
    }
    json::array verbs;
    for (std::uint32_t i = 0; i < plugin.verb_count; ++i) {
        const p2pdiag_verb& verb = *plugin.verbs[i];
        verbs.push_back(json::object{{"name", to_json(verb.name)},
                                     {"summary", to_json(verb.summary)},
                                     {"schema", to_json(verb.schema)}});
    }
    json::array changes;
    for (const p2pdiag_change* change : changes_of(plugin)) {
        changes.push_back(json::object{{"id", to_json(change->id)},
                                       {"title", to_json(change->title)},
                                       {"privileges", change->privileges},
                                       {"keeps", change->keep != nullptr}});
    }
    json::array recorders;
    for (const p2pdiag_recorder* recorder : recorders_of(plugin)) {
        recorders.push_back(json::object{{"id", to_json(recorder->id)},
                                         {"title", to_json(recorder->title)},
                                         {"privileges", recorder->privileges}});
    }
    description["checks"] = std::move(checks);
    description["verbs"] = std::move(verbs);
    description["changes"] = std::move(changes);
    description["recorders"] = std::move(recorders);
    return description;
}

}  // namespace p2pdiag::child
