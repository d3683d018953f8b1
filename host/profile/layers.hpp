// The effective values while layers are put over each other, and the keys that exist.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "options/options.hpp"
#include "profile/profile.hpp"
#include "profile/toml.hpp"

namespace p2pdiag::profile {

using PluginOptions = std::map<std::string, std::vector<options::Option>>;

// Values by section ("run", "servers.turn", "plugins.stun") and profile key.
struct Layers {
    std::map<std::string, json::object> sections;
    std::string port_set_by;      // whoever put target.port last
    std::string deadline_set_by;  // whoever put run.deadline last
    Problem password_file_at;     // where it was named, for when it cannot be read
    bool holds_password = false;  // the file read last does
    JudgeGlob judge_glob;         // of Request
    std::vector<Problem> problems;
    std::vector<std::string> notes;
};

// The built-in layer: what holds when nobody says anything.
Layers built_in(const PluginOptions& plugin_options);

// The option behind a key of one of the host's own sections; it must exist.
const options::Option& host_option(std::string_view section, std::string_view key);

// Checks a value and puts it over what is there. The element of a repeated option that is wrong is
// named at its own place.
void put(Layers& layers, const std::string& section, const options::Option& option,
         const TomlValue& value, const std::string& file);

// A whole profile file.
void put_file(Layers& layers, const PluginOptions& plugin_options, std::string_view text,
              const std::string& file);

// The P2P_ variables; an empty one counts as not set. Names of those that had a say.
std::vector<std::string> put_environment(
    Layers& layers,
    const std::function<std::optional<std::string>(const std::string&)>& environment);

// A server as profiles and variables name it: host:port, or a URI "scheme:host[:port]" or
// "schemes:…" (TLS) whose port has a default. The plain scheme is taken off, so that
// "stun:h:3478" and "h:3478" are the same server.
options::Checked<std::string> normal_server(std::string_view text, std::string_view scheme);

}  // namespace p2pdiag::profile
