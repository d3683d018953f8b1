// What `p2pdiag firewall check` prints.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ask.hpp"
#include "base/json.hpp"
#include "listeners.hpp"

namespace p2pdiag::firewall {

struct CheckLine {
    Asked asked;
    std::optional<Listener> listener;  // of this machine alone
    std::vector<std::string> remedy;   // lines to type
    std::string no_remedy = {};        // of this machine: why `firewall allow` has none; or ""
};

struct CheckReport {
    std::vector<CheckLine> lines;
    std::vector<std::string> notes;
    bool left_out = false;  // a way in that could not be judged, of which a note tells
};

// 0: every first packet passes. 1: some do not. 3: of some it cannot be told, or there are none.
int exit_code(const CheckReport& report);

// docs/user/firewall.md; with `trace` every rule that was gone through, not only those that matter.
json::object to_json(const CheckReport& report, bool trace);
std::string to_text(const CheckReport& report, bool trace);

}  // namespace p2pdiag::firewall
