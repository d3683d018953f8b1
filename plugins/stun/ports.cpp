#include "ports.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace p2pdiag::nat {

namespace {

// Further apart than this, a guess at the next port is no use to anybody.
constexpr int largest_step = 32;
constexpr std::size_t fewest_neighbours = 4;
// With this many ports, and a step found, nothing that is still on its way matters.
constexpr std::size_t enough_ports = 8;

}  // namespace

Field<bool> judge_preservation(const Observations& seen) {
    bool any_kept = false;
    bool any_changed = false;
    for (const Probe& probe : seen.probes) {
        const std::uint16_t local = seen.sockets[probe.socket].local_port;
        if (local == 0) continue;
        for (const Endpoint& mapped : probe.mapped) {
            (mapped.port == local ? any_kept : any_changed) = true;
        }
    }
    if (any_kept && any_changed) return Field<bool>::unknown(Reason::mixed);
    if (!any_kept && !any_changed) return Field<bool>::unknown(Reason::no_server_answered);
    return Field<bool>::known(any_kept);
}

Field<int> constant_step(const std::vector<std::optional<std::uint16_t>>& ports) {
    std::map<int, std::size_t> counts;
    std::size_t neighbours = 0;
    for (std::size_t i = 1; i < ports.size(); ++i) {
        if (!ports[i - 1] || !ports[i]) continue;
        // Modulo 2^16, so that a wrap-around is a small step too.
        const auto difference =
            static_cast<std::int16_t>(static_cast<std::uint16_t>(*ports[i] - *ports[i - 1]));
        ++counts[difference];
        ++neighbours;
    }
    if (neighbours < fewest_neighbours) return Field<int>::unknown(Reason::loss);
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](auto& a, auto& b) { return a.second < b.second; });
    const bool small = most->first != 0 && std::abs(most->first) <= largest_step;
    if (!small || most->second * 3 < neighbours * 2) return Field<int>::unknown(Reason::irregular);
    return Field<int>::known(most->first);
}

Field<int> judge_step(const Observations& seen) {
    std::map<std::uint32_t, const Probe*> by_order;
    for (const Probe& probe : seen.probes) {
        if (probe.role != Role::port_step || probe.sends.empty()) continue;
        by_order.emplace(probe.sends.front().order, &probe);
    }
    std::vector<std::optional<std::uint16_t>> ports;
    std::size_t known = 0;
    bool waiting = by_order.empty();
    std::uint32_t previous = 0;
    for (const auto& [order, probe] : by_order) {
        // Something else was sent between two bursts, and may have taken a port.
        if (!ports.empty() && order != previous + 1) ports.emplace_back();
        previous = order;
        if (probe->mapped.empty()) {
            ports.emplace_back();
            waiting = waiting || !seen.is_overdue(probe->sends.front());
        } else {
            ports.emplace_back(probe->mapped.front().port);
            ++known;
        }
    }
    const Field<int> step = constant_step(ports);
    if (step.value && known >= enough_ports) return step;
    return waiting ? Field<int>::unknown(Reason::pending) : step;
}

}  // namespace p2pdiag::nat
