#include "peer_ports.hpp"

#include <algorithm>

namespace p2pdiag::nat {

namespace {

struct PortRange {
    std::uint16_t first;
    std::uint16_t last;
};

// What networks that permit chosen ports alone are told to permit: names, time, the web, IPsec, and
// STUN and TURN with the neighbouring ports of large services (Teams, Meet). That one of them
// passes says nothing of a peer's.
constexpr PortRange listed_ports[] = {{53, 53},     {80, 80},     {123, 123},
                                      {443, 443},   {500, 500},   {3478, 3481},
                                      {4500, 4500}, {5349, 5350}, {19302, 19309}};

bool is_listed(std::uint16_t port) {
    return std::any_of(
        std::begin(listed_ports), std::end(listed_ports),
        [port](const PortRange& range) { return range.first <= port && port <= range.last; });
}

bool is_plain(const Probe& probe) { return !probe.change.address && !probe.change.port; }

// To a peer of our own NAT, which need not leave it.
bool stays_inside(const Probe& probe) { return probe.role == Role::hairpin; }

std::vector<Endpoint> answered_from(const Observations& seen) {
    std::vector<Endpoint> found;
    for (const Probe& probe : seen.probes) {
        if (is_plain(probe) || !probe.answered) continue;
        if (std::find(found.begin(), found.end(), probe.expected) == found.end()) {
            found.push_back(probe.expected);
        }
    }
    return found;
}

}  // namespace

ServedAndSilent judge_served_ports(const Observations& seen) {
    ServedAndSilent result;
    Probes controls;
    std::vector<IpAddress> reached;
    const std::vector<Endpoint> served = answered_from(seen);
    for (const Probe& probe : seen.probes) {
        if (probe.role == Role::baseline) controls.push_back(&probe);
        if (is_plain(probe) && probe.answered) reached.push_back(probe.to.address);
        const bool to_served =
            is_plain(probe) && std::find(served.begin(), served.end(), probe.to) != served.end();
        if (!to_served || probe.sends.empty()) continue;
        // One that passes shows that the port does, and what this machine itself forbids is told by
        // its firewall's checks.
        if (probe.answered || probe.came_back || probe.forbidden) return {};
        auto& endpoints = result.endpoints;
        if (std::find(endpoints.begin(), endpoints.end(), probe.to) == endpoints.end()) {
            endpoints.push_back(probe.to);
        }
        result.requests.push_back(&probe);
    }
    // Of an address that is reached at no port it is not the port.
    std::erase_if(result.endpoints, [&](const Endpoint& endpoint) {
        return std::find(reached.begin(), reached.end(), endpoint.address) == reached.end();
    });
    std::erase_if(result.requests, [&](const Probe* probe) {
        return std::find(reached.begin(), reached.end(), probe->to.address) == reached.end();
    });
    result.certain = !result.requests.empty() && loss_excluded(seen, result.requests, controls);
    return result;
}

Field<bool> judge_unlisted_ports(const Observations& seen) {
    const bool passed = std::any_of(seen.probes.begin(), seen.probes.end(), [](const Probe& probe) {
        const bool arrived = probe.answered || probe.refused;
        return arrived && !stays_inside(probe) && !is_listed(probe.to.port);
    });
    if (passed) return Field<bool>::known(true);
    if (judge_served_ports(seen).certain) return Field<bool>::unknown(Reason::served_and_silent);
    const bool prohibited = std::any_of(
        seen.probes.begin(), seen.probes.end(),
        [](const Probe& probe) { return probe.role == Role::unlisted_port && probe.prohibited; });
    return Field<bool>::unknown(prohibited ? Reason::prohibited : Reason::not_shown);
}

}  // namespace p2pdiag::nat
