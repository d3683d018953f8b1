// Text of others in a page. What is not from a literal of ours goes through one of these.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "report/report.hpp"

namespace p2pdiag::report::html {

// As text between tags or in a quoted attribute: one line, nothing that hides or turns the
// direction of writing, and no character that HTML gives a meaning.
std::string text(std::string_view raw);

std::string code(std::string_view raw);     // <code>, of any length
std::string command(std::string_view raw);  // a block that one click selects

// A value of a report as a block of JSON, line by line.
std::string data_block(const json::value& value);

// A few words in a box, coloured by `kind`: "works", "limited", "broken", "unknown" or "plain".
std::string chip(std::string_view kind, std::string_view words);

std::string_view kind_of(Status status);
std::string_view kind_of(Severity severity);

std::string duration_text(std::chrono::milliseconds time);  // "340 ms", "5.1 s"
std::string percent(double share);  // of 0 to 1: "12.50%", for positions in a drawing

}  // namespace p2pdiag::report::html
