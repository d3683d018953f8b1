// What goes on while something is changed, a line each on stderr.
#pragma once

#include "change/events.hpp"
#include "cli/context.hpp"

namespace p2pdiag::cli {

// `several` steps may be kept up at once: each line says of which it speaks. `context` must outlive
// it.
change::Events watch_change(const Context& context, bool several);

// Text for a person who watches; nothing in it may end in a secret, nothing of it is the result.
void note(std::string_view text);

}  // namespace p2pdiag::cli
