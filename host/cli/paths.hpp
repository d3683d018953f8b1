// Where this installation's files are: found from the executable, so that a built or installed tree
// works from anywhere.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/user_dirs.hpp"

namespace p2pdiag::cli {

struct Paths {
    std::filesystem::path executable;
    std::filesystem::path data_dir;                  // share/p2pdiag: profiles/, codes/, checks/
    std::vector<std::filesystem::path> plugin_dirs;  // --plugin-dir, P2PDIAG_PLUGIN_PATH, installed
    std::optional<std::filesystem::path> plugin_cache;  // $XDG_CACHE_HOME/p2pdiag/plugins.json
    std::optional<std::filesystem::path> user_config;   // $XDG_CONFIG_HOME/p2pdiag/config.toml
    std::optional<std::filesystem::path> user_profiles;
    std::optional<std::filesystem::path> user_diagnosis;  // $XDG_CONFIG_HOME/p2pdiag/diagnosis
    // $P2PDIAG_STATE_DIR/changes, else $XDG_STATE_HOME/p2pdiag/changes
    std::optional<std::filesystem::path> changes;
};

Paths find_paths(const std::vector<std::string>& plugin_dir_flags, const Environment& environment);

}  // namespace p2pdiag::cli
