// The user's configuration as a file: read, replaced whole or not at all, removed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace p2pdiag::network_plugin {

struct ConfigText {
    bool exists = false;
    std::string text;
    std::string problem;  // why it cannot be read or must not be written; empty where it can
};

// Follows links: people keep such files elsewhere. Only a regular file of this user, of at most a
// megabyte.
ConfigText read_config(const std::string& path);

// With the mode that it has, or for the owner alone where there is none; makes its folder. What
// went wrong, or nothing.
std::string write_config(const std::string& path, std::string_view text);

// … also where it is not there.
std::string remove_config(const std::string& path);

}  // namespace p2pdiag::network_plugin
