// What one name server made of the names it was asked for, in numbers, and the data of the check.
// Pure.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "base/json.hpp"
#include "names.hpp"

namespace p2pdiag::network_plugin {

struct Tally {
    unsigned asked = 0;     // wanted names, to an end
    unsigned usable = 0;    // answered with an address, or that there is none
    unsigned answered = 0;  // whatever was said
    unsigned resolved = 0;  // with an address
    std::optional<std::chrono::milliseconds> quickest;
    bool empty = false;  // it says of every wanted name, and of both types, that there is none
    std::optional<net::DnsOutcome> trouble;  // of the first wanted lookup that was of no use
};

Tally tally_of(const Names& names, const ServerAnswers& server);

// Answered with an address, or that there is none.
bool is_usable(net::DnsOutcome outcome);

// "answered", "refused" or "silent".
const char* tcp_word(net::DnsOutcome outcome);
// What came over TCP, where nothing did over UDP; else null.
json::value tcp_value(const ServerAnswers& server);
// Null where the kernel did not tell.
json::value outside_value(const ServerAnswers& server);

// The data of the check: docs/checks/network.dns.md. `tallies` in the order of the servers.
json::object describe(const Names& names, const std::vector<Tally>& tallies);

}  // namespace p2pdiag::network_plugin
