// Runs state machines over real sockets.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "machine.hpp"

namespace p2pdiag::nat {

// All side by side, until each is done; at most 96 sockets each. Throws operation_aborted when
// cancelled; what the machines have seen until then stays in them.
boost::asio::awaitable<void> drive(std::vector<std::shared_ptr<Machine>> machines);

}  // namespace p2pdiag::nat
