// Text for a terminal: made harmless, measured in columns, and broken into lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace p2pdiag::report {

// `text` as one line without anything that moves the cursor, hides, or turns the direction of
// writing; line breaks and tabs become spaces. With `unicode` false everything outside ASCII
// becomes "?".
std::string single_line(std::string_view text, bool unicode);

// Columns that a terminal uses for it; `text` is the result of single_line.
std::size_t columns(std::string_view text);

// `text` with spaces added up to `width` columns.
std::string padded(std::string_view text, std::size_t width);

// `text` where it fits `width` columns; else as much of its beginning as fits with `ellipsis`
// (ASCII or of one column) behind it. `width` is at least that of the ellipsis and two columns.
std::string shortened(std::string_view text, std::size_t width, std::string_view ellipsis);

// Lines of at most `width` columns, broken at spaces where there are any. At least one line.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

std::string joined(const std::vector<std::string>& words, std::string_view between = ", ");

}  // namespace p2pdiag::report
