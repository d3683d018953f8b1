// Colours and marks of the console report.
#pragma once

#include <string>
#include <string_view>

#include "report/formats.hpp"
#include "report/report.hpp"

namespace p2pdiag::report {

// ECMA-48 §8.3.117, SGR.
namespace sgr {
inline constexpr std::string_view bold = "\x1b[1m";
inline constexpr std::string_view dim = "\x1b[2m";
inline constexpr std::string_view red = "\x1b[31m";
inline constexpr std::string_view green = "\x1b[32m";
inline constexpr std::string_view yellow = "\x1b[33m";
inline constexpr std::string_view plain = "\x1b[0m";
}  // namespace sgr

// As it is where no colour is allowed; `text` must be harmless already (single_line).
std::string coloured(std::string_view text, std::string_view colour, const RenderOptions& options);

struct Mark {
    std::string_view symbol;
    std::string_view ascii;
    std::string_view colour;
    std::string_view word;  // said before the summary; empty where the symbol says it all
};

Mark mark_of(Status status);
Mark mark_of(Severity severity);

// The symbol alone, one column wide.
std::string symbol(const Mark& mark, const RenderOptions& options);

}  // namespace p2pdiag::report
