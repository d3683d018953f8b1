// What the table in plugin.cpp names.
#pragma once

#include <p2pdiag/plugin.hpp>

namespace p2pdiag::capture_plugin {

int run_capture(Run& run);  // the verb `capture`: hands over to one of its commands

}  // namespace p2pdiag::capture_plugin
