// The whole result as one JSON document; docs/user/capture.md describes it.
#pragma once

#include "model.hpp"

namespace p2pdiag::capture_plugin {

// `source` names what was analysed: a file, "-", an interface.
json::object to_json(const Outcome& result, std::string_view source);

}  // namespace p2pdiag::capture_plugin
