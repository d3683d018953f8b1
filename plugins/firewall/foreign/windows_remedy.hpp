// What to type on a Windows machine.
#pragma once

#include "foreign/windows.hpp"
#include "verdict_json.hpp"

namespace p2pdiag::firewall::windows {

// As `remedy` of foreign.hpp.
std::vector<std::string> remedy(const Ruleset& ruleset, const Question& question,
                                const Verdict& verdict, const std::optional<std::string>& program);

}  // namespace p2pdiag::firewall::windows
