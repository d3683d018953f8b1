// The look of the page: light and dark, narrow and wide, on paper.
#pragma once

#include <string_view>

namespace p2pdiag::report::html {

extern const std::string_view style_sheet;

}  // namespace p2pdiag::report::html
