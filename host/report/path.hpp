// The way from this machine to the internet in four legs, and where it is broken. For drawings: the
// console, the HTML report.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "report/report.hpp"

namespace p2pdiag::report {

// What stands along it, from here outwards.
inline constexpr std::array<std::string_view, 5> path_stations = {"you", "firewall", "router",
                                                                  "carrier", "internet"};

enum class PathState {
    unknown,  // no check measured it, or none could tell: never taken for good
    works,    // measured, and in order
    limited,  // a finding of severity warning concerns it
    broken    // one of severity error does
};
std::string_view to_string(PathState state);  // "unknown", "works", "limited", "broken"

// From path_stations[i] to path_stations[i + 1]. A leg stands for getting to the outer one and
// through it: a firewall that drops breaks the first one, a NAT the second, a carrier's the third.
// Where only the result at the far end is known, the fourth is broken and those before it unknown.
struct PathLeg {
    PathState state = PathState::unknown;
    std::string code;   // of the finding that decided; empty where none did
    std::string check;  // whose; empty where none did
    std::string why;    // one sentence
};

// "you to firewall" for 0, and so on up to 3.
std::string path_leg_name(std::size_t leg);

std::array<PathLeg, 4> path_of(const Report& report);

}  // namespace p2pdiag::report
