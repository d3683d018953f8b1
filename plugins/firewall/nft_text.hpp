// Rules for people: what `nft list ruleset` would print, made from the JSON.
#pragma once

#include <string>

#include "base/json.hpp"

namespace p2pdiag::firewall::nft {

// Printable ASCII, cut at so many characters.
inline constexpr std::size_t most_text = 400;

std::string text_of_expression(const json::value& expression);
std::string text_of_statement(const json::value& statement);
// All of "expr".
std::string text_of_rule(const json::array& statements);

}  // namespace p2pdiag::firewall::nft
