// Profiles: TOML in layers, built-in < user < --profile < environment < flag. A key that is not
// known, of the wrong type or out of range is an error with file, line and column, and the nearest
// key that exists.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "options/options.hpp"

namespace p2pdiag::profile {

// Where a value is wrong. For the environment: file is the variable's name, line 0.
struct Problem {
    std::string file;
    unsigned line = 0;
    unsigned column = 0;
    std::string message;

    std::string to_string() const;  // "file:line:column: message"
};

// The effective profile: every key the host knows, with its value after all layers.
struct Profile {
    std::string name;  // as named by --profile, or "default"

    // [run]
    std::vector<std::string> checks;  // globs; empty = all of the default run
    std::vector<std::string> skip;
    bool deep = false;
    std::int64_t deadline_ms = 20000;
    bool deadline_is_built_in = true;  // nobody asked for it
    std::string fail_on;               // warn, fail or unknown

    json::object target;      // {"port"}, and "peer" where one is named
    std::string port_set_by;  // the layer that says the port, as in `sources`; empty = built-in
    json::value user_config;  // where that says the port, see user_config.hpp
    json::object servers;     // {"stun":[…],"turn":{…}|null}
    json::object connection;  // {"timeout_ms","keep_alive_interval_ms","signaling_port"}
    std::map<std::string, json::object> plugins;  // per plugin id, defaults filled in

    // The layers that had a say, first to last, for --verbose and bundles: "built-in", a file,
    // "P2P_STUN_SERVERS".
    std::vector<std::string> sources;
};

// What is wrong with a glob of checks.
struct WrongGlob {
    std::string message;
    bool harmless = false;  // it may be meant for another installation
};
using JudgeGlob = std::function<std::optional<WrongGlob>(const std::string& glob)>;

struct Request {
    std::filesystem::path data_dir;  // holds profiles/*.toml
    std::optional<std::filesystem::path>
        user_config;  // …/p2pdiag/config.toml; absent or missing file = no layer
    std::optional<std::filesystem::path> user_profiles;  // …/p2pdiag/profiles/
    // --profile: a name, or a path (has a '/' or ends in .toml). Absent is "default", below the
    // user's own configuration; one that was asked for is above it, that one, too.
    std::optional<std::string> profile;
    std::function<std::optional<std::string>(const std::string&)> environment;
    // Per plugin id the options of its section [plugins.<id>]. A section of a plugin that is not
    // loaded is accepted unchecked and said in the log, so that one profile serves several
    // installations.
    std::map<std::string, std::vector<options::Option>> plugin_options;

    // Judges the globs of checks in [run]; absent for who runs none.
    JudgeGlob judge_glob;
    // What is wrong is a note, and the rest holds: for who must go on whatever a file says.
    bool lenient = false;

    // Flags; absent = not given.
    std::optional<std::int64_t> port;
    std::optional<std::string> peer;
    std::vector<std::string> stun;  // replaces the list when not empty
    std::optional<std::int64_t> deadline_ms;
    std::optional<bool> deep;
    std::optional<std::string> fail_on;
};

struct Loaded {
    Profile profile;
    std::vector<std::string> notes;  // worth a line on stderr, nothing wrong
};

// All problems of all layers at once, so that a person mends the file in one go.
boost::system::result<Loaded, std::vector<Problem>> load(const Request& request);

// An environment variable and the key that it stands in for.
struct Variable {
    const char* name;
    const char* section;
    const char* key;
};
std::span<const Variable> variables();

// Names of the profiles in both directories with the first comment line of each.
std::vector<std::pair<std::string, std::string>> list(const Request& request);

// boost::system::result finds it by its argument; thrown only where nobody asked for the error.
[[noreturn]] void throw_exception_from_error(const std::vector<Problem>& problems,
                                             const boost::source_location& where);

}  // namespace p2pdiag::profile
