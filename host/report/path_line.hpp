// The way to the internet in one line of text, and in words what is wrong with it:
//
//   you ───── firewall ──!── router ──?── carrier ──✗── internet
#pragma once

#include <optional>
#include <string>

#include "report/formats.hpp"
#include "report/path.hpp"

namespace p2pdiag::report {

// Nothing where no check of the run looked at the way at all.
std::optional<std::array<PathLeg, 4>> drawn_path(const Report& report);

// At most `options.width` columns, and never more than needed; at least 40. Without a line break.
std::string path_line(const std::array<PathLeg, 4>& legs, const RenderOptions& options);

// What is broken, what is limited and by which finding, and what was not measured. Empty where all
// of it works.
std::string path_words(const std::array<PathLeg, 4>& legs);

}  // namespace p2pdiag::report
