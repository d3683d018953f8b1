// Names for time. Nothing in lib/wire and no state machine asks a clock itself: the time is handed
// in, so that tests run with a virtual one.
#pragma once

#include <chrono>

namespace p2pdiag {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;

}  // namespace p2pdiag
