#include <algorithm>
#include <set>
#include <stdexcept>

#include "base/utf8.hpp"
#include "options/shown.hpp"
#include "profile/file.hpp"
#include "profile/layers.hpp"
#include "profile/profile.hpp"
#include "profile/user_config.hpp"

namespace p2pdiag::profile {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_password_file = 4096;
constexpr std::size_t most_listed = 1000;
constexpr const char* default_name = "default";

bool is_path(const std::string& profile) {
    return profile.find('/') != profile.npos || profile.ends_with(".toml");
}

// Where the profile's file is; empty when there is none of that name.
fs::path find_named(const Request& request, const std::string& name) {
    std::error_code ignored;
    const std::string file = name + ".toml";
    if (request.user_profiles && fs::exists(*request.user_profiles / file, ignored)) {
        return *request.user_profiles / file;
    }
    const fs::path shipped = request.data_dir / "profiles" / file;
    return fs::exists(shipped, ignored) ? shipped : fs::path();
}

std::string unknown_profile(const Request& request, const std::string& wanted) {
    std::string message = "unknown profile " + options::shown(wanted) + "; known are";
    std::vector<std::string> names;
    for (const auto& [name, comment] : list(request)) {
        message += (names.empty() ? " " : ", ") + options::harmless(name);
        names.push_back(name);
    }
    if (const auto near = options::nearest(wanted, names)) {
        message += "; did you mean \"" + options::harmless(*near) + "\"?";
    }
    return message;
}

class Loader {
public:
    explicit Loader(const Request& request)
        : request_(request), layers_(built_in(request.plugin_options)), sources_{"built-in"} {
        layers_.judge_glob = request.judge_glob;
    }

    boost::system::result<Loaded, std::vector<Problem>> load() {
        const fs::path chosen = choose();
        // What holds when nothing was asked for is below the user's configuration.
        if (!request_.profile && !chosen.empty()) add_file(chosen);
        add_user_config();
        if (request_.profile && !chosen.empty()) add_file(chosen);
        add_environment();
        add_flags();
        Loaded loaded{effective(), std::move(layers_.notes)};
        if (layers_.problems.empty()) return loaded;
        if (!request_.lenient) return std::move(layers_.problems);
        for (const Problem& problem : layers_.problems) {
            loaded.notes.push_back(problem.to_string() + "; not used");
        }
        return loaded;
    }

private:
    fs::path choose() {
        const std::string name = request_.profile.value_or(default_name);
        if (name.empty()) {
            layers_.problems.push_back({"--profile", 0, 0, "is empty"});
            return {};
        }
        if (is_path(name)) return name;
        const fs::path found = find_named(request_, name);
        if (found.empty() && name != default_name) {
            layers_.problems.push_back({"--profile", 0, 0, unknown_profile(request_, name)});
        }
        return found;
    }

    void add_user_config() {
        std::error_code ignored;
        if (!request_.user_config) return;
        if (fs::status(*request_.user_config, ignored).type() == fs::file_type::not_found) return;
        // Nobody named this file. Where even its folder is closed to us (HOME of another user),
        // there is none for us.
        if (ignored == std::errc::permission_denied) return;
        add_file(*request_.user_config);
    }

    void add_file(const fs::path& path) {
        const auto file = read_file(path, largest_profile);
        if (!file) {
            layers_.problems.push_back(file.error());
            return;
        }
        put_file(layers_, request_.plugin_options, file->text, path.string());
        sources_.push_back(path.string());
        // What is shipped is for everybody to read; the lab's password is no secret.
        if (layers_.holds_password && file->readable_by_others && !is_shipped(path)) {
            layers_.notes.push_back(options::harmless(path.string()) +
                                    ": holds a password that others can read; chmod 600 it, or "
                                    "use password_file");
        }
    }

    bool is_shipped(const fs::path& path) const {
        return path.parent_path() == request_.data_dir / "profiles";
    }

    void add_environment() {
        if (!request_.environment) return;
        for (auto& name : put_environment(layers_, request_.environment)) {
            sources_.push_back(std::move(name));
        }
    }

    void add_flags() {
        if (request_.port) add_flag("--port", "target", "port", *request_.port);
        if (request_.peer) {
            add_flag("--peer", "target", "peer", json::value(std::string_view(*request_.peer)));
        }
        if (request_.deadline_ms) {
            add_flag("--deadline", "run", "deadline", *request_.deadline_ms);
        }
        if (request_.deep) add_flag("--deep", "run", "deep", *request_.deep);
        if (request_.fail_on) {
            add_flag("--fail-on", "run", "fail_on",
                     json::value(std::string_view(*request_.fail_on)));
        }
        if (request_.stun.empty()) return;
        TomlValue servers;
        servers.kind = TomlValue::Kind::array;
        for (const std::string& server : request_.stun) {
            TomlValue& element = servers.elements.emplace_back();
            element.scalar = json::value(std::string_view(server));
        }
        put(layers_, "servers", host_option("servers", "stun"), servers, "--stun");
        sources_.emplace_back("--stun");
    }

    void add_flag(const char* flag, const char* section, const char* key, json::value given) {
        TomlValue value;
        value.scalar = std::move(given);
        put(layers_, section, host_option(section, key), value, flag);
        sources_.emplace_back(flag);
    }

    // Null when no server is named; what else the section holds is of no use then.
    json::value turn() {
        json::object values = layers_.sections["servers.turn"];
        const auto server = json::find_string(values, "server");
        if (!server) {
            note_unused_turn(values);
            return nullptr;
        }
        if (const auto file = json::find_string(values, "password_file")) {
            if (auto password = read_password(*file))
                values["password"] = json::value(std::string_view(*password));
            values.erase("password_file");
        }
        for (const char* key : {"username", "password"}) values.emplace(key, nullptr);
        return values;
    }

    // No error: the server may come from P2P_TURN_SERVER, on some days and not on others.
    void note_unused_turn(const json::object& values) {
        if (json::find_string(values, "password_file")) {
            Problem at = layers_.password_file_at;
            at.message = "password_file: no TURN server is configured; the file is not read";
            layers_.notes.push_back(at.to_string());
        } else if (!values.empty()) {
            layers_.notes.emplace_back(
                "a TURN username or password is configured, but no TURN server; not used");
        }
    }

    std::optional<std::string> read_password(std::string_view name) {
        // Relative to the file that names it.
        const Problem& at = layers_.password_file_at;
        const fs::path path = fs::path(at.file).parent_path() / name;
        auto file = read_file(path, largest_password_file);
        const auto fail = [&](const std::string& why) {
            layers_.problems.push_back(
                {at.file, at.line, at.column,
                 "password_file: " + options::harmless(path.string()) + ' ' + why});
            return std::nullopt;
        };
        if (!file) return fail(file.error().message);
        std::string password = file->text.substr(0, file->text.find_first_of("\r\n"));
        if (password.empty()) return fail("holds no password in its first line");
        if (!is_utf8(password) || password.find('\0') != password.npos) {
            return fail("holds something else than text");
        }
        if (file->readable_by_others) {
            layers_.notes.push_back(options::harmless(path.string()) +
                                    ": can be read by others; chmod 600 it");
        }
        return password;
    }

    Profile effective() {
        Profile profile;
        profile.name = request_.profile.value_or(default_name);
        const json::object& run = layers_.sections["run"];
        profile.checks = strings(run, "checks");
        profile.skip = strings(run, "skip");
        profile.deep = json::find_bool(run, "deep").value_or(false);
        profile.deadline_ms = json::find_integer(run, "deadline").value_or(profile.deadline_ms);
        const auto shipped = request_.data_dir / "profiles" / "default.toml";
        profile.deadline_is_built_in =
            layers_.deadline_set_by.empty() || layers_.deadline_set_by == shipped.string();
        profile.fail_on = json::find_string(run, "fail_on").value_or("fail");
        profile.target = layers_.sections["target"];
        profile.port_set_by = layers_.port_set_by;
        profile.servers = layers_.sections["servers"];
        profile.servers["turn"] = turn();
        const json::object& connection = layers_.sections["connection"];
        profile.connection = {{"timeout_ms", connection.at("timeout")},
                              {"keep_alive_interval_ms", connection.at("keep_alive_interval")},
                              {"signaling_port", connection.at("signaling_port")}};
        for (const auto& plugin : request_.plugin_options) {
            profile.plugins[plugin.first] = layers_.sections["plugins." + plugin.first];
        }
        profile.sources = sources_;
        profile.user_config = describe_user_config(request_, profile);
        return profile;
    }

    static std::vector<std::string> strings(const json::object& section, std::string_view key) {
        std::vector<std::string> out;
        if (const json::array* values = json::find_array(section, key)) {
            for (const json::value& value : *values) out.emplace_back(value.get_string());
        }
        return out;
    }

    const Request& request_;
    Layers layers_;
    std::vector<std::string> sources_;
};

// What the first line says, when it is a comment.
std::string first_comment(const fs::path& path) {
    const auto file = read_file(path, largest_profile);
    if (!file || !file->text.starts_with('#')) return {};
    const std::string line = file->text.substr(0, file->text.find_first_of("\r\n"));
    const std::size_t start = line.find_first_not_of("# \t");
    return start == line.npos ? std::string() : options::harmless(line.substr(start));
}

}  // namespace

std::string Problem::to_string() const {
    std::string place = options::harmless(file);
    if (line != 0) place += ':' + std::to_string(line) + ':' + std::to_string(column);
    return place + ": " + message;
}

boost::system::result<Loaded, std::vector<Problem>> load(const Request& request) {
    return Loader(request).load();
}

std::vector<std::pair<std::string, std::string>> list(const Request& request) {
    std::map<std::string, std::string> found;
    std::vector<fs::path> folders;
    if (request.user_profiles) folders.push_back(*request.user_profiles);
    folders.push_back(request.data_dir / "profiles");
    for (const fs::path& folder : folders) {
        std::error_code ended;
        for (fs::directory_iterator entry(folder, ended), end; !ended && entry != end;
             entry.increment(ended)) {
            if (entry->path().extension() != ".toml" || found.size() >= most_listed) continue;
            const std::string name = entry->path().stem().string();
            if (!found.contains(name)) found[name] = first_comment(entry->path());
        }
    }
    found.emplace(default_name, "The built-in values");
    return {found.begin(), found.end()};
}

void throw_exception_from_error(const std::vector<Problem>& problems,
                                const boost::source_location&) {
    throw std::logic_error(std::to_string(problems.size()) + " unchecked problems in profiles");
}

}  // namespace p2pdiag::profile
