// JSON from a ruleset's file or program, within bounds that a hostile one cannot pass.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <string_view>

#include "base/json.hpp"
#include "nft_json.hpp"

namespace p2pdiag::firewall {

// One document and nothing after it, at most max_ruleset_text long, lying in `memory`, which must
// outlive it. Names may hold any bytes; they are made printable before anybody sees them.
boost::system::result<json::value, ReadError> parse_ruleset(
    std::string_view text, boost::json::monotonic_resource& memory);

}  // namespace p2pdiag::firewall
