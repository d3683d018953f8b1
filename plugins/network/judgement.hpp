// What a check of this plugin has to say, before any of it is handed to the host.
#pragma once

#include <p2pdiag/plugin.hpp>

#include <string>
#include <vector>

#include "base/json.hpp"

namespace p2pdiag::network_plugin {

struct Finding {
    std::string code;
    Severity severity = Severity::info;
    std::string message;
    json::object evidence;
};

struct Judgement {
    p2pdiag_status status = P2PDIAG_UNKNOWN;
    std::string summary;
    std::vector<Finding> findings;
    json::object data;
};

// Emits all of it; returns the status.
p2pdiag_status hand_over(Run& run, const Judgement& judgement);

}  // namespace p2pdiag::network_plugin
