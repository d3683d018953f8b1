#include "profile/layers.hpp"

#include <algorithm>
#include <functional>

#include "options/shown.hpp"
#include "profile/sections.hpp"

namespace p2pdiag::profile {
namespace {

using options::Option;
using options::shown;

constexpr std::string_view plugins_prefix = "plugins.";
constexpr std::size_t most_stun_servers = 16;
constexpr std::size_t most_list_values = 1024;
// All at once, but a file of nothing but problems need not list them all.
constexpr std::size_t most_problems = 50;

class FileReader {
public:
    FileReader(Layers& layers, const PluginOptions& plugin_options, const std::string& file)
        : layers_(layers),
          plugin_options_(plugin_options),
          file_(file),
          before_(layers.problems.size()) {}

    void read(const TomlValue& root) {
        for (const TomlEntry& entry : root.entries) {
            if (entry.key == "plugins") {
                read_plugins(entry);
            } else {
                read_host_section(entry, entry.key);
            }
        }
        const auto first = layers_.problems.begin() + static_cast<std::ptrdiff_t>(before_);
        std::stable_sort(
            first, layers_.problems.end(), [](const Problem& left, const Problem& right) {
                return std::pair(left.line, left.column) < std::pair(right.line, right.column);
            });
        if (more_problems_ != 0) {
            fail(0, 0, "and " + std::to_string(more_problems_) + " more problems");
        }
        if (more_sections_ != 0) {
            layers_.notes.push_back(options::harmless(file_) + ": and " +
                                    std::to_string(more_sections_) + " more unused sections");
        }
    }

private:
    // From here on problems are only counted: suggestions for each of 100000 keys take seconds.
    bool counted_only() {
        if (layers_.problems.size() - before_ < most_problems) return false;
        ++more_problems_;
        return true;
    }

    void fail(unsigned line, unsigned column, std::string message) {
        layers_.problems.push_back({file_, line, column, std::move(message)});
    }

    void read_host_section(const TomlEntry& entry, const std::string& name) {
        const auto& sections = host_sections();
        const auto section = std::ranges::find(sections, name, &Section::name);
        if (section == sections.end()) return unknown_section(entry, name);
        read_section(entry, name, section->options);
    }

    void read_plugins(const TomlEntry& plugins) {
        if (plugins.value.kind != TomlValue::Kind::table) return no_table(plugins, "plugins");
        for (const TomlEntry& entry : plugins.value.entries) {
            const auto known = plugin_options_.find(entry.key);
            const std::string name = std::string(plugins_prefix) + entry.key;
            if (known != plugin_options_.end()) {
                read_section(entry, name, known->second);
            } else {
                note_unused(entry);
            }
        }
    }

    void note_unused(const TomlEntry& section) {
        if (unused_sections_ == most_problems) {
            ++more_sections_;
            return;
        }
        ++unused_sections_;
        std::vector<std::string> ids;
        for (const auto& plugin : plugin_options_) ids.push_back(plugin.first);
        const auto near = options::nearest(section.key, ids);
        const Problem at{file_, section.line, section.column,
                         "no plugin " + shown(section.key) + " is loaded; its section is not used" +
                             (near ? " (did you mean \"" + *near + "\"?)" : "")};
        layers_.notes.push_back(at.to_string());
    }

    void read_section(const TomlEntry& entry, const std::string& name,
                      const std::vector<Option>& known) {
        if (entry.value.kind != TomlValue::Kind::table) return no_table(entry, name);
        for (const TomlEntry& member : entry.value.entries) {
            if (name == "servers" && member.key == "turn") {
                read_host_section(member, "servers.turn");
                continue;
            }
            const auto option = std::ranges::find(known, member.key, &Option::profile_key);
            if (option == known.end()) {
                unknown_key(member, name, known);
            } else {
                put(layers_, name, *option, member.value, file_);
            }
        }
        if (name == "servers.turn") check_turn(entry);
    }

    void check_turn(const TomlEntry& turn) {
        const auto has = [&](const char* key) {
            return std::ranges::find(turn.value.entries, key, &TomlEntry::key) !=
                   turn.value.entries.end();
        };
        layers_.holds_password = has("password");
        if (has("password") && has("password_file")) {
            fail(turn.line, turn.column, "password and password_file cannot both be there");
        }
    }

    void no_table(const TomlEntry& entry, const std::string& name) {
        fail(entry.line, entry.column, "must be a section: [" + name + ']');
    }

    void unknown_key(const TomlEntry& entry, const std::string& section,
                     const std::vector<Option>& known) {
        if (counted_only()) return;
        std::vector<std::string> keys;
        for (const Option& option : known) keys.push_back(option.profile_key());
        if (section == "servers") keys.push_back("turn");
        std::string message =
            "unknown key " + shown(entry.key) + " in [" + options::harmless(section) + ']';
        if (const auto near = options::nearest(entry.key, keys)) {
            message += "; did you mean \"" + *near + "\"?";
        } else if (const auto elsewhere = section_with(entry.key)) {
            message += "; it belongs in [" + *elsewhere + ']';
        } else {
            message += keys.empty() ? "; the section has none" : "; known are";
            for (const std::string& key : keys) message += (&key == keys.data() ? " " : ", ") + key;
        }
        fail(entry.line, entry.column, message);
    }

    void unknown_section(const TomlEntry& entry, const std::string& name) {
        if (counted_only()) return;
        if (entry.value.kind != TomlValue::Kind::table) {
            std::string message = "unknown key " + shown(name) + " outside of a section";
            if (const auto home = section_with(name)) message += "; it belongs in [" + *home + ']';
            return fail(entry.line, entry.column, message);
        }
        std::vector<std::string> names = {"plugins"};
        for (const Section& section : host_sections()) names.push_back(section.name);
        std::string message = "unknown section " + shown(name);
        if (const auto near = options::nearest(name, names)) {
            message += "; did you mean [" + *near + "]?";
        } else if (plugin_options_.contains(name)) {
            message += "; a plugin's section is [plugins." + name + ']';
        } else if (name == "turn") {
            message += "; did you mean [servers.turn]?";
        }
        fail(entry.line, entry.column, message);
    }

    static std::optional<std::string> section_with(const std::string& key) {
        for (const Section& section : host_sections()) {
            const auto& known = section.options;
            if (std::ranges::find(known, key, &Option::profile_key) != known.end()) {
                return section.name;
            }
        }
        return std::nullopt;
    }

    Layers& layers_;
    const PluginOptions& plugin_options_;
    const std::string& file_;
    const std::size_t before_;
    std::size_t more_problems_ = 0;
    std::size_t unused_sections_ = 0;
    std::size_t more_sections_ = 0;
};

std::size_t most_values(std::string_view section, std::string_view key) {
    return section == "servers" && key == "stun" ? most_stun_servers : most_list_values;
}

options::Checked<json::value> checked_one(const std::string& section, const Option& option,
                                          const TomlValue& value) {
    if (value.kind == TomlValue::Kind::table) return options::from_value(option, json::object());
    if (value.kind == TomlValue::Kind::array) return options::from_value(option, json::array());
    if (value.scalar.is_null()) return options::Mismatch{"must not be a date or time"};
    auto checked = options::from_value(option, value.scalar);
    const bool stun = section == "servers" && option.name == "stun";
    const bool turn = section == "servers.turn" && option.name == "server";
    if (!checked || (!stun && !turn)) return checked;
    const auto server =
        normal_server(std::string_view(checked->get_string()), stun ? "stun" : "turn");
    if (!server) return server.error();
    return json::value(std::string_view(*server));
}

void judge_globs(Layers& layers, const std::string& key, const TomlValue& list,
                 const std::string& file) {
    if (!layers.judge_glob) return;
    for (const TomlValue& element : list.elements) {
        if (!element.scalar.is_string()) continue;
        const auto wrong = layers.judge_glob(std::string(element.scalar.get_string()));
        if (!wrong) continue;
        Problem at{file, element.line, element.column, key + ": " + wrong->message};
        if (wrong->harmless) {
            layers.notes.push_back(at.to_string());
        } else {
            layers.problems.push_back(std::move(at));
        }
    }
}

}  // namespace

Layers built_in(const PluginOptions& plugin_options) {
    Layers layers;
    const auto fill = [&](const std::string& name, const std::vector<Option>& known) {
        json::object& values = layers.sections[name];
        for (const Option& option : known) {
            if (option.default_value) values[option.profile_key()] = *option.default_value;
        }
    };
    for (const Section& section : host_sections()) fill(section.name, section.options);
    for (const auto& [id, known] : plugin_options) fill(std::string(plugins_prefix) + id, known);
    return layers;
}

const Option& host_option(std::string_view section, std::string_view key) {
    const auto& sections = host_sections();
    const auto& known = std::ranges::find(sections, section, &Section::name)->options;
    return *std::ranges::find(known, key, &Option::profile_key);
}

void put(Layers& layers, const std::string& section, const Option& option, const TomlValue& value,
         const std::string& file) {
    const std::string key = option.profile_key();
    const auto fail = [&](const TomlValue& at, const std::string& why) {
        // Without a line the file is a variable or flag, which names the value well enough.
        layers.problems.push_back(
            {file, at.line, at.column, at.line == 0 ? why : key + ": " + why});
    };
    json::value result;
    if (!option.repeat) {
        auto checked = checked_one(section, option, value);
        if (!checked) return fail(value, checked.error().why);
        result = std::move(*checked);
    } else if (value.kind != TomlValue::Kind::array) {
        return fail(value, "must be an array, in square brackets");
    } else if (value.elements.size() > most_values(section, key)) {
        const std::string most = std::to_string(most_values(section, key));
        return fail(value, "at most " + most + " values are taken");
    } else {
        Option single = option;
        single.repeat = false;
        json::array& all = result.emplace_array();
        for (const TomlValue& element : value.elements) {
            auto checked = checked_one(section, single, element);
            if (checked) {
                all.push_back(std::move(*checked));
            } else {
                fail(element, checked.error().why);
            }
        }
    }
    if (section == "run" && (key == "checks" || key == "skip")) {
        judge_globs(layers, key, value, file);
    }
    json::object& values = layers.sections[section];
    if (section == "servers.turn" && key == "password") values.erase("password_file");
    if (section == "servers.turn" && key == "password_file") {
        values.erase("password");
        layers.password_file_at = {file, value.line, value.column, {}};
    }
    if (section == "target" && key == "port") layers.port_set_by = file;
    if (section == "run" && key == "deadline") layers.deadline_set_by = file;
    values[key] = std::move(result);
}

void put_file(Layers& layers, const PluginOptions& plugin_options, std::string_view text,
              const std::string& file) {
    layers.holds_password = false;
    const auto root = parse_toml(text, file);
    if (!root) {
        layers.problems.push_back(root.error());
        return;
    }
    FileReader(layers, plugin_options, file).read(*root);
}

}  // namespace p2pdiag::profile
