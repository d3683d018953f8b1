// What a check of this plugin says in the end, before it is handed to the host.
#pragma once

#include <p2pdiag/plugin.hpp>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "model.hpp"

namespace p2pdiag::firewall {

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

// The rules, or a part of them, cannot be seen: `judgement` becomes unknown with that finding.
// Where rights are missing, the person is told to run `command` as root.
void become_blind(const World& world, const std::string& command, Judgement& judgement);

// Hands it all to the host; returns its status.
p2pdiag_status hand_over(Run& run, const Judgement& judgement);

}  // namespace p2pdiag::firewall
