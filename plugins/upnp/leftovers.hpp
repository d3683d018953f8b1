// Test mappings of runs of upnp.mapping that were killed: removed by whoever comes next.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

namespace p2pdiag::upnp_plugin {

struct Leftovers {
    std::vector<std::string> removed;  // "UDP port 8001 by UPnP of 192.168.1.1"
    std::vector<std::string> left;     // … and why
};

// Takes three seconds at most. What could not be removed is tried again the next time, until its
// time is over.
boost::asio::awaitable<void> remove_leftovers(std::shared_ptr<Leftovers> result);

}  // namespace p2pdiag::upnp_plugin
