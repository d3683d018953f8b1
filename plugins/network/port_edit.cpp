#include "port_edit.hpp"

#include <limits>

namespace p2pdiag::network_plugin {

namespace {

constexpr std::int64_t most_bytes = 1 << 20;  // of a profile

std::optional<std::size_t> size_of(const json::object& object, std::string_view key) {
    const auto value = json::find_integer(object, key);
    if (!value || *value < 0 || *value > most_bytes) return std::nullopt;
    return static_cast<std::size_t>(*value);
}

std::optional<ConfigFile::Place> parse_place(const json::object& object) {
    const auto line = size_of(object, "line");
    const auto byte = size_of(object, "byte");
    const auto length = size_of(object, "length");
    if (!line || *line == 0 || !byte || !length) return std::nullopt;
    return ConfigFile::Place{static_cast<unsigned>(*line), *byte, *length};
}

struct Line {
    std::size_t begin = 0;
    std::string_view text;  // with its line break, where it has one
};

std::optional<Line> line_at(std::string_view text, unsigned number) {
    std::size_t begin = 0;
    for (unsigned line = 1; line < number; ++line) {
        const std::size_t end = text.find('\n', begin);
        if (end == text.npos) return std::nullopt;
        begin = end + 1;
    }
    const std::size_t end = text.find('\n', begin);
    const std::size_t length = end == text.npos ? text.npos : end - begin + 1;
    return Line{begin, text.substr(begin, length)};
}

std::string_view without_break(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string port_line(std::uint16_t port) { return "port = " + std::to_string(port); }

std::optional<PortEdit> replacing(PortEdit edit, std::string_view text,
                                  const ConfigFile::Place& place, std::uint16_t port) {
    const auto line = line_at(text, place.line);
    if (!line || place.byte + place.length > line->text.size() || place.length == 0) {
        return std::nullopt;
    }
    const std::string_view value = line->text.substr(place.byte, place.length);
    // TOML 1.0: digits with underscores, also as hexadecimal, octal or binary.
    if (value.find_first_not_of("+_0123456789abcdefABCDEFxo") != value.npos) return std::nullopt;
    edit.at = line->begin;
    edit.before = line->text;
    edit.after = line->text;
    edit.after.replace(place.byte, place.length, std::to_string(port));
    edit.line = without_break(edit.after);
    return edit;
}

// The line at which our port stands now, where the host has found it and it is ours.
std::optional<Line> our_line(const PortEdit& edit, std::string_view text,
                             const std::optional<ConfigFile::Place>& now) {
    if (!now) return std::nullopt;
    const auto line = line_at(text, now->line);
    if (!line || without_break(line->text) != edit.line) return std::nullopt;
    return line;
}

std::string with_replaced(std::string_view text, std::size_t at, std::size_t length,
                          std::string_view by) {
    std::string out(text);
    out.replace(at, length, by);
    return out;
}

}  // namespace

std::optional<ConfigFile> ConfigFile::parse(const json::object& input) {
    const json::object* config = json::find_object(input, "config");
    const auto file = config == nullptr ? std::nullopt : json::find_string(*config, "file");
    if (!file || !file->starts_with('/')) return std::nullopt;
    ConfigFile out;
    out.file = *file;
    out.exists = json::find_bool(*config, "exists").value_or(false);
    out.other_form = json::find_bool(*config, "other_form").value_or(false);
    out.overridden_by = json::find_string(*config, "overridden_by").value_or("");
    if (const json::object* port = json::find_object(*config, "port")) {
        out.port = parse_place(*port);
    }
    if (const json::object* section = json::find_object(*config, "section")) {
        if (const auto line = size_of(*section, "line"); line && *line > 0) {
            out.section = static_cast<unsigned>(*line);
        }
    }
    return out;
}

json::object to_json(const PortEdit& edit) {
    return {{"file", edit.file},     {"creates", edit.creates}, {"at", edit.at},
            {"before", edit.before}, {"after", edit.after},     {"line", edit.line}};
}

std::optional<PortEdit> parse_edit(const json::object& object) {
    const auto file = json::find_string(object, "file");
    const auto creates = json::find_bool(object, "creates");
    const auto at = size_of(object, "at");
    const auto before = json::find_string(object, "before");
    const auto after = json::find_string(object, "after");
    const auto line = json::find_string(object, "line");
    if (!file || !file->starts_with('/') || !creates || !at || !before || !after || !line) {
        return std::nullopt;
    }
    if (line->empty() || after->find(*line) == after->npos) return std::nullopt;
    return PortEdit{std::string(*file),  *creates,          *at, std::string(*before),
                    std::string(*after), std::string(*line)};
}

std::optional<PortEdit> edit_for(const ConfigFile& config, std::string_view text,
                                 std::uint16_t port) {
    PortEdit edit;
    edit.file = config.file;
    edit.creates = !config.exists;
    if (config.port) return replacing(std::move(edit), text, *config.port, port);
    if (config.other_form) return std::nullopt;
    edit.line = port_line(port);
    if (config.section) {
        const auto header = line_at(text, *config.section);
        if (!header || header->text.find('[') == std::string_view::npos) return std::nullopt;
        edit.at = header->begin + header->text.size();
        edit.after = (header->text.ends_with('\n') ? "" : "\n") + edit.line + '\n';
        return edit;
    }
    edit.at = text.size();
    const bool open_line = !text.empty() && !text.ends_with('\n');
    edit.after = (open_line ? "\n" : "") + std::string(text.empty() ? "" : "\n") + "[target]\n" +
                 edit.line + '\n';
    return edit;
}

std::optional<std::string> applied(const PortEdit& edit, std::string_view text) {
    const bool appends = edit.before.empty() && edit.after.find("[target]") != std::string::npos;
    if (edit.at > text.size() || (appends && edit.at != text.size())) return std::nullopt;
    if (text.substr(edit.at, edit.before.size()) != edit.before) return std::nullopt;
    return with_replaced(text, edit.at, edit.before.size(), edit.after);
}

bool is_applied(const PortEdit& edit, std::string_view text) {
    return edit.at <= text.size() && text.substr(edit.at, edit.after.size()) == edit.after;
}

std::optional<std::string> reverted(const PortEdit& edit, std::string_view text,
                                    const std::optional<ConfigFile::Place>& now) {
    const auto line = our_line(edit, text, now);
    const bool in_place = is_applied(edit, text);
    // Nobody has touched what is ours; a section of ours that somebody put more into stays.
    const auto is_whole = [&] {
        const std::size_t end = edit.at + edit.after.size();
        return edit.after.find("[target]") == std::string::npos || end == text.size() ||
               text.substr(end).starts_with('[');
    };
    if (in_place && is_whole()) {
        return with_replaced(text, edit.at, edit.after.size(), edit.before);
    }
    if (!line && !in_place) return std::nullopt;
    const std::size_t at = line ? line->begin : edit.at + edit.after.find(edit.line);
    const std::size_t length = line ? line->text.size() : edit.line.size() + 1;
    return with_replaced(text, at, length, edit.before);
}

}  // namespace p2pdiag::network_plugin
