// The places of this user's own where p2pdiag keeps things (XDG Base Directory specification).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace p2pdiag {

using Environment = std::function<std::optional<std::string>(const std::string&)>;
// The process's own; an empty variable counts as not set.
std::optional<std::string> process_environment(const std::string& name);

// "p2pdiag" in the directory that the variable names, else in $HOME/`below_home`. Nothing where
// neither is an absolute path.
std::optional<std::filesystem::path> xdg_dir(const Environment& environment,
                                             const std::string& variable, const char* below_home);

// Where it remembers what it did: $P2PDIAG_STATE_DIR, else $XDG_STATE_HOME/p2pdiag, else
// ~/.local/state/p2pdiag. What was named for p2pdiag alone is used or nothing is: another place
// would be a surprise.
std::optional<std::filesystem::path> state_dir(const Environment& environment);

}  // namespace p2pdiag
