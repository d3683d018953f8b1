// What every command of the host works with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/paths.hpp"
#include "loader/loader.hpp"
#include "profile/profile.hpp"

namespace p2pdiag::cli {

struct Globals {
    std::optional<std::string> profile;
    std::vector<std::string> plugin_dirs;
    std::string colour = "auto";  // auto, always, never
    bool verbose = false;
    bool no_input = false;  // never ask
};

struct Context {
    Globals globals;
    Environment environment;
    Paths paths;
    loader::Plugins plugins;
    std::vector<std::string> command_line;  // as typed, up to "--"
};

// Wrong usage or configuration, in words for the person at the keyboard; becomes exit code 2
// (report/exit_code.hpp).
struct UsageError {
    std::string message;
};

// Writes all of it to stdout; false when nobody reads any more (EPIPE) or the disk is full.
bool print(std::string_view text);

// The same, and says why where something was lost, unless nobody reads any more.
bool print_or_complain(std::string_view text);

// The same for a command whose whole result it is: its exit code, with a message where something
// was lost.
int print_result(std::string_view text);

// Appended to "unknown check": a check may be unknown because its plugin was refused.
std::string refused_plugins(const Context& context);

// A request for profile::load with the context's layers filled in; flags are the caller's.
profile::Request profile_request(const Context& context);

// Loads or throws UsageError with every problem, one a line. Its notes are said
// on stderr, and with --verbose the layers that had a say.
profile::Profile load_profile(const Context& context, const profile::Request& request);

// What a plugin's verb or change gets as "input": target, servers, connection, its own options, and
// where the user's configuration says the port.
json::object plugin_input(const profile::Profile& profile, const loader::Plugin& plugin);

// What a plugin's check or verb gets as "changes": the open records of what that plugin changed.
json::array plugin_changes(const Context& context, const std::string& plugin);

}  // namespace p2pdiag::cli
