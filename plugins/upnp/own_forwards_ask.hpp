// Asking the routers that were found what became of this program's own forwards.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "own_forwards.hpp"

namespace p2pdiag::upnp_plugin {

// What is asked of them in one run; the newest are the first.
inline constexpr std::size_t most_own_forwards = 16;

struct OwnForwards {
    Search search;
    std::vector<OwnForward> forwards;
};

// From what the host hands over as "changes".
std::vector<OwnForward> own_forwards(const json::object& input);

// Fills in what is found out of each, after the search: it may be cancelled at any time.
boost::asio::awaitable<void> ask_for_own(std::shared_ptr<OwnForwards> session);

}  // namespace p2pdiag::upnp_plugin
