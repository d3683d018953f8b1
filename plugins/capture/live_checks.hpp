// The parts of this plugin that listen; plugin.cpp makes the table of them.
#pragma once

#include <p2pdiag/plugin.hpp>

namespace p2pdiag::capture_plugin {

p2pdiag_status check_access(Run& run);  // access.cpp, docs/checks/capture.access.md
p2pdiag_status record(Run& run);        // record.cpp, the recorder of `run --capture`
int capture_live(Run& run);             // live.cpp, the verb `capture live`

}  // namespace p2pdiag::capture_plugin
