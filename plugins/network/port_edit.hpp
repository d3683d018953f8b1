// The one line of the user's configuration that says the target port: found by the host, changed
// here, and every other byte of the file left as it is. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace p2pdiag::network_plugin {

// What the host says of the file (docs/plugin-author/reference.md, "config").
struct ConfigFile {
    std::string file;
    bool exists = false;
    struct Place {
        unsigned line = 0;  // from 1
        std::size_t byte = 0;
        std::size_t length = 0;
    };
    std::optional<Place> port;        // the value
    std::optional<unsigned> section;  // the line of [target], where that says no port
    bool other_form = false;          // [target] is there in a form that takes no line
    std::string overridden_by;        // who says another port above it

    // Nothing where there is no place for a file.
    static std::optional<ConfigFile> parse(const json::object& input);
};

// At byte `at` of the file, which says `before` there, `after` takes its place. Both are whole
// lines or empty.
struct PortEdit {
    std::string file;
    bool creates = false;  // there was no file
    std::size_t at = 0;
    std::string before;
    std::string after;
    std::string line;  // of `after`, the one that says the port, without its line break
};

json::object to_json(const PortEdit& edit);
// Nothing where something is missing or impossible: it comes from a file.
std::optional<PortEdit> parse_edit(const json::object& object);

// Nothing where the text is not what the host has seen, or the port cannot be said in one line of
// its own.
std::optional<PortEdit> edit_for(const ConfigFile& config, std::string_view text,
                                 std::uint16_t port);

// The new text; nothing where the file says something else there by now.
std::optional<std::string> applied(const PortEdit& edit, std::string_view text);
bool is_applied(const PortEdit& edit, std::string_view text);

// The text without our line. `now` is where the host finds the port, for a file that was edited
// elsewhere meanwhile. Nothing where our line is not there any more.
std::optional<std::string> reverted(const PortEdit& edit, std::string_view text,
                                    const std::optional<ConfigFile::Place>& now);

}  // namespace p2pdiag::network_plugin
