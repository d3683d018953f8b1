// Who the endpoints are, as far as their packets tell.
#pragma once

#include "evidence.hpp"

namespace p2pdiag::capture_plugin {

// The hosts of these messages, the busiest first. A role stands only where something in the
// capture says so; `reason` says what.
std::vector<Host> hosts_of(const std::vector<Message>& messages, const HostTable& table,
                           const Evidence& evidence);

}  // namespace p2pdiag::capture_plugin
