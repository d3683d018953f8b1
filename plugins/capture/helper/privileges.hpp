// What this program was given to open the interfaces with, and how it gets rid of it.
#pragma once

namespace p2pdiag::capture_helper {

// All capabilities for good, and the user root where that is possible; no program that is started
// later gets anything back. False when something is left that must not be.
bool drop_privileges();

}  // namespace p2pdiag::capture_helper
