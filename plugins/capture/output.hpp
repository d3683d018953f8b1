// A result as the person or program that asked wants it.
#pragma once

#include "model.hpp"

namespace p2pdiag::capture_plugin {

enum class Format : std::uint8_t { console, json, mermaid, svg };
std::optional<Format> parse_format(std::string_view text);

struct Output {
    Format format = Format::console;
    std::size_t rows = 200;  // of the ladder at most
    std::size_t width = 80;  // of the console
    bool unicode = false;
    std::string source;     // what was analysed
    bool filtered = false;  // by host or port
};

// The width and the characters of the terminal that standard output goes to.
Output output_of_terminal();

std::string render(const Outcome& result, const Output& output);

// 0 nothing at the threshold, 1 findings, 3 nothing in it that could be understood.
int exit_code(const Outcome& result, Severity threshold);

}  // namespace p2pdiag::capture_plugin
