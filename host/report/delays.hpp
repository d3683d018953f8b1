// How long answers took and how many were lost, as checks measured it: read from their data, whose
// members docs/checks/network.path.md and stun.nat.md describe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/report.hpp"

namespace p2pdiag::report {

struct Delay {
    std::string family;  // "IPv4"
    std::string where;   // "router", "hop 2", "server"
    std::string address;
    double rtt_ms = 0;                 // median, or the only one
    std::optional<double> rtt_min_ms;  // null: one answer alone
    std::optional<double> jitter_ms;
    std::optional<double> loss_percent;
};

// From the near to the far end, IPv4 first; at most 32. What was not measured is not there.
std::vector<Delay> delays_of(const Report& report);

// Of each family the server that answered first: how far the internet is.
std::vector<Delay> nearest_servers(const Report& report);

}  // namespace p2pdiag::report
