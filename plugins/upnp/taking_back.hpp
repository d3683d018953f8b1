// Removing what routers were asked for, from a record of it: a forward, or a test mapping that was
// left behind.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "forward_input.hpp"

namespace p2pdiag::upnp_plugin {

struct TakingBack {
    explicit TakingBack(StepInput all);
    void forget(std::size_t index);  // of left

    StepInput input;
    std::vector<Attempt> left;          // of input.record, what is not known to be gone
    std::vector<std::string> gone;      // in words, what was removed
    std::vector<std::string> problems;  // of what was tried and stays
    std::vector<std::string> notes;     // of what the router must have forgotten by itself
    // Told each time that `left` has become less.
    std::function<void(const std::vector<Attempt>& left)> on_less = {};
};

// One attempt after the other; `left` is right at any moment. Whoever has the router's address and
// is another one is not asked, and not believed.
boost::asio::awaitable<void> take_back(std::shared_ptr<TakingBack> session);

// "UDP port 8000 by UPnP of 192.168.1.1 (ACME)".
std::string forward_words(const Try& made);

}  // namespace p2pdiag::upnp_plugin
