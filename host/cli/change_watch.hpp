// What goes on while something is changed, a line each on stderr.
#pragma once

#include <functional>
#include <string_view>

#include "change/events.hpp"
#include "cli/context.hpp"
#include "cli/signals.hpp"

namespace p2pdiag::cli {

// `several` steps may be kept up at once: each line says of which it speaks. `context` must outlive
// it.
change::Events watch_change(const Context& context, bool several);

// Counts interrupts, and answers the first one with `text`, so that the person knows it was heard.
std::function<int()> count_interrupts(SignalWatch& signals, const char* text);

// Text for a person who watches; nothing in it may end in a secret, nothing of it is the result.
void note(std::string_view text);

}  // namespace p2pdiag::cli
