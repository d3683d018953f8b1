// What the host hands to the functions of the change upnp.forward.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "situation.hpp"

namespace p2pdiag::upnp_plugin {

struct PlanInput {
    Wanted wanted;
    std::vector<OpenForward> open;  // not checked yet
    std::vector<std::string> stun_servers;
};

struct StepInput {
    std::string id;
    Step step;
    std::optional<Record> record;
    std::vector<std::string> stun_servers;  // as configured, "host:port" or "stun:host:port"
};

// Nothing when something is missing or impossible, which is a fault of the host or of the journal.
std::optional<PlanInput> parse_plan_input(std::string_view text);
std::optional<StepInput> parse_step_input(std::string_view text);

// Of what the host calls "changes" or "open": records that are not of this form are left out.
std::vector<OpenForward> parse_open(const json::object& object, std::string_view key);

}  // namespace p2pdiag::upnp_plugin
