// Round trips of a series of requests, and what they say. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "base/json.hpp"

namespace p2pdiag::network_plugin {

struct Series {
    unsigned sent = 0;
    std::vector<std::chrono::microseconds> round_trips;  // in the order in which they came
    unsigned last_answered = 0;  // the latest request that was, from 1; 0: none, or not told

    unsigned answered() const { return static_cast<unsigned>(round_trips.size()); }
    unsigned lost() const { return sent > answered() ? sent - answered() : 0; }

    // Some answers came, and so many did not that chance is no explanation: with 2 % of the
    // requests lost, three of sixteen are missing once in 270 series; with 1 %, once in 2000. Where
    // nothing came, it is silence, which is no loss.
    bool lossy() const {
        return answered() > 0 && lost() >= 3 && lost() * 10 >= sent && !fell_silent();
    }
    // Loss leaves gaps among the answers. A server that has enough of one sender, or hangs, answers
    // and then does not any more: with half of all lost, eight at the end are once in 256 series.
    bool fell_silent() const { return last_answered > 0 && sent >= last_answered + 8; }

    std::optional<std::chrono::microseconds> fastest() const;
    std::optional<std::chrono::microseconds> median() const;
    // Mean difference between one round trip and the next; nothing with less than two.
    std::optional<std::chrono::microseconds> jitter() const;

    // {"sent","answered","loss_percent","rtt_ms","rtt_min_ms","jitter_ms"}: milliseconds with three
    // decimals, null where not measured.
    json::object describe() const;
};

}  // namespace p2pdiag::network_plugin
