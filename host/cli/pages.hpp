// The pages behind `explain` (docs/codes/<area>.md, a "## code" section each) and `describe`
// (docs/checks/<id>.md).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace p2pdiag::cli {

// The section of a code without its heading, or nothing when no page has it.
std::optional<std::string> code_page(const std::filesystem::path& data_dir, std::string_view code);
// Every code that has a page.
std::vector<std::string> known_codes(const std::filesystem::path& data_dir);

std::optional<std::string> check_page(const std::filesystem::path& data_dir,
                                      std::string_view check);

// Every check that has a page.
std::vector<std::string> pages_of_checks(const std::filesystem::path& data_dir);

}  // namespace p2pdiag::cli
