// How often a discovery sends, and how long.
#pragma once

#include "observations.hpp"

namespace p2pdiag::nat {

// DESIGN section 6: sends 100 ms apart. Twenty-five of them tell a filter from 20 % loss in each
// direction.
inline constexpr Milliseconds pace{100};
inline constexpr unsigned most_sends = 25;
inline constexpr std::size_t fewest_sends = 5;
// Two sockets of one test take turns, so that together they sample the path twice as often.
inline constexpr Milliseconds half_pace{50};
// A filter is tested before anything goes to the other address, and nothing waits for that: so the
// first send of each test is repeated at once, in case it gets lost.
inline constexpr unsigned filter_repeats = 4;
inline constexpr Milliseconds repeat_pace{4};
// A baseline or control that goes on for as long as any test may.
inline constexpr unsigned steady_sends = 60;

}  // namespace p2pdiag::nat
