// What is different from an earlier report, for people.
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"

namespace p2pdiag::report {

// A line each, such as "check stun.nat: pass, now fail". Safe to show, without line breaks.
std::vector<std::string> change_lines(const Changes& changes);

}  // namespace p2pdiag::report
