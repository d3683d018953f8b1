#include "cli/paths.hpp"

#include <system_error>

namespace p2pdiag::cli {

namespace fs = std::filesystem;

namespace {

void add_path_list(std::vector<fs::path>& dirs, const std::string& list) {
    std::size_t begin = 0;
    while (begin <= list.size()) {
        const std::size_t end = std::min(list.find(':', begin), list.size());
        if (end > begin) dirs.emplace_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
}

}  // namespace

Paths find_paths(const std::vector<std::string>& plugin_dir_flags, const Environment& environment) {
    Paths paths;
    std::error_code error;
    paths.executable = fs::read_symlink("/proc/self/exe", error);
    const fs::path prefix = paths.executable.parent_path().parent_path();
    paths.data_dir = prefix / "share" / "p2pdiag";

    for (const std::string& dir : plugin_dir_flags) paths.plugin_dirs.emplace_back(dir);
    if (const auto list = environment("P2PDIAG_PLUGIN_PATH"))
        add_path_list(paths.plugin_dirs, *list);
    // P2PDIAG_LIBDIR is "lib" in the build tree and what GNUInstallDirs says when installed, for
    // example lib/x86_64-linux-gnu under /usr.
    paths.plugin_dirs.push_back(prefix / "lib" / "p2pdiag" / "plugins");
    paths.plugin_dirs.push_back(prefix / P2PDIAG_LIBDIR / "p2pdiag" / "plugins");

    if (const auto cache = xdg_dir(environment, "XDG_CACHE_HOME", ".cache")) {
        paths.plugin_cache = *cache / "plugins.json";
    }
    if (const auto config = xdg_dir(environment, "XDG_CONFIG_HOME", ".config")) {
        paths.user_config = *config / "config.toml";
        paths.user_profiles = *config / "profiles";
        paths.user_diagnosis = *config / "diagnosis";
    }
    if (const auto state = state_dir(environment)) paths.changes = *state / "changes";
    return paths;
}

}  // namespace p2pdiag::cli
