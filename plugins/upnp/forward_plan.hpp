// What `forward add` would do. Pure: what was found out is handed in.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <functional>
#include <string>
#include <vector>

#include "situation.hpp"

namespace p2pdiag::upnp_plugin {

using NonceSource = std::function<portmap::PcpNonce()>;

// PASS with data {"steps", "notes"}, SKIP, FAIL with findings and notes, or UNKNOWN.
Judgement make_plan(const Wanted& wanted, const Situation& situation, const NonceSource& nonces);

// How to do it by hand, with this machine's own addresses.
std::vector<std::string> manual_steps(const Wanted& wanted, const Search& search);

}  // namespace p2pdiag::upnp_plugin
