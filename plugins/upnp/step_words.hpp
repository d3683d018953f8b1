// How a step of the change upnp.forward is called: for people, and by an `undo` on the command
// line. Pure.
#pragma once

#include <string>

#include "forward_step.hpp"

namespace p2pdiag::upnp_plugin {

// {"title","undo","match"}. `lease` ends the title: "for 2 h".
json::object words_of(const Try& by, std::uint16_t outside_port, const std::string& lease);

// The record for the host. What was granted otherwise than planned names the step anew.
json::object for_host(const Record& record, const Step& step);

}  // namespace p2pdiag::upnp_plugin
