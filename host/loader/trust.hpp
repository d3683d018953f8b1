// Whether code from a file may run as us.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace p2pdiag::loader {

// Why no code from `path` (a directory or file) may run, or nothing when it may: others can write
// to it or put another one in its place, or it belongs to somebody who could not run code as us
// anyway. `path` is to be free of links.
std::optional<std::string> distrust(const std::filesystem::path& path);

}  // namespace p2pdiag::loader
