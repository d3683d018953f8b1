#include "base/user_dirs.hpp"

#include <cstdlib>

namespace p2pdiag {

namespace fs = std::filesystem;

std::optional<std::string> process_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
}

// XDG Base Directory specification: a relative path in the variable is invalid and to be ignored.
std::optional<fs::path> xdg_dir(const Environment& environment, const std::string& variable,
                                const char* below_home) {
    const auto set = environment(variable);
    if (set && fs::path(*set).is_absolute()) return fs::path(*set) / "p2pdiag";
    const auto home = environment("HOME");
    if (!home || !fs::path(*home).is_absolute()) return std::nullopt;
    return fs::path(*home) / below_home / "p2pdiag";
}

std::optional<fs::path> state_dir(const Environment& environment) {
    if (const auto set = environment("P2PDIAG_STATE_DIR")) {
        if (!fs::path(*set).is_absolute()) return std::nullopt;
        return fs::path(*set);
    }
    return xdg_dir(environment, "XDG_STATE_HOME", ".local/state");
}

}  // namespace p2pdiag
