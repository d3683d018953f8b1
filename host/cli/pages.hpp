// The pages behind `explain` and `describe`: docs/codes/<area>.md with a "## code" section each,
// docs/checks/<id>.md, and what a plugin of somebody else brings: NAME.md beside NAME.so, with a
// "## code" or "## check" section each.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"

namespace p2pdiag::cli {

// Whether the file is there or not.
std::filesystem::path pages_of(const loader::Plugin& plugin);

class Pages {
public:
    // `context` must outlive it.
    explicit Pages(const Context& context) : context_(context) {}

    // Without its heading, or nothing where there is no page.
    std::optional<std::string> of_code(std::string_view code) const;
    std::optional<std::string> of_check(std::string_view check) const;

    // All that have a page, in order.
    std::vector<std::string> codes() const;
    std::vector<std::string> checks() const;

private:
    const Context& context_;
};

}  // namespace p2pdiag::cli
