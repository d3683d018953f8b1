#include "profile/user_config.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "profile/file.hpp"
#include "profile/toml.hpp"

namespace p2pdiag::profile {
namespace {

const TomlEntry* find(const TomlValue& table, std::string_view key) {
    const auto found = std::ranges::find(table.entries, key, &TomlEntry::key);
    return found == table.entries.end() ? nullptr : &*found;
}

// toml++ counts characters.
std::size_t byte_of(std::string_view line, unsigned column) {
    std::size_t byte = 0;
    for (unsigned at = 1; at < column && byte < line.size(); ++at) {
        byte += decode_utf8(line.substr(byte)).size;
    }
    return byte;
}

json::object place_of_port(std::string_view text, const TomlValue& port) {
    const std::string_view line = line_of(text, port.line);
    const std::size_t begin = byte_of(line, port.column);
    const std::size_t end = std::min(line.find_first_of(" \t\r#,}", begin), line.size());
    return {{"line", port.line}, {"byte", begin}, {"length", end - begin}};
}

// Into a table in braces or one of dotted keys no line can be put.
bool has_header(std::string_view text, const TomlEntry& section) {
    const std::string_view line = line_of(text, section.value.line);
    const std::size_t start = line.find_first_not_of(" \t");
    return start != line.npos && line[start] == '[' && section.value.line == section.line;
}

void describe_target(json::object& out, std::string_view text, const TomlValue& root) {
    const TomlEntry* target = find(root, "target");
    if (target == nullptr) return;
    if (const TomlEntry* port = find(target->value, "port")) {
        out["port"] = place_of_port(text, port->value);
    } else if (has_header(text, *target)) {
        out["section"] = json::object{{"line", target->line}};
    } else {
        out["other_form"] = true;
    }
}

// What is above the user's configuration and says another port.
json::value overridden_by(const Request& request, const Profile& profile) {
    const std::string& by = profile.port_set_by;
    if (by.empty() || by == request.user_config->string()) return nullptr;
    // A default that nobody asked for is below it.
    if (!request.profile && std::filesystem::path(by).filename() == "default.toml") return nullptr;
    return json::value(std::string_view(by));
}

}  // namespace

json::value describe_user_config(const Request& request, const Profile& profile) {
    if (!request.user_config) return nullptr;
    json::object out{{"file", request.user_config->string()},
                     {"exists", false},
                     {"port", nullptr},
                     {"section", nullptr},
                     {"other_form", false},
                     {"overridden_by", overridden_by(request, profile)}};
    const auto file = read_file(*request.user_config, largest_profile);
    if (!file) return out;
    out["exists"] = true;
    const auto root = parse_toml(file->text, request.user_config->string());
    if (root) describe_target(out, file->text, *root);
    return out;
}

}  // namespace p2pdiag::profile
