// What the host hands to this plugin's checks and to its verb, as far as they read it.
#pragma once

#include <p2pdiag/plugin.hpp>
#include <string>
#include <vector>

#include "base/host_port.hpp"
#include "base/json.hpp"
#include "model.hpp"

namespace p2pdiag::firewall {

struct Input {
    std::uint16_t port = 8000;  // that peers are to reach, as the default profile has it
    std::vector<HostPort> stun;
    std::optional<HostPort> turn;
};

// Of a check's input, or the `input` of a verb's arguments.
Input read_input(const json::object& input);
Input read_input(const Run& run);

// This machine as it is now, read in time for a report before the run's deadline.
World look_around(const Run& run);

}  // namespace p2pdiag::firewall
