// The rules of this installation and of its user.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "diagnosis/rules_file.hpp"

namespace p2pdiag::diagnosis {

// All *.toml of the folders, by name; a folder that is not there has none. Neither the rules nor
// what they refer to are checked (rules_check.hpp).
void read_folders(const std::vector<std::filesystem::path>& folders, Rules& rules,
                  Problems& problems);

void read_rules_file(const std::filesystem::path& file, Rules& rules, Problems& problems);

}  // namespace p2pdiag::diagnosis
