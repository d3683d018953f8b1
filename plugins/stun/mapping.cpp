#include "mapping.hpp"

#include <algorithm>
#include <map>

#include "discovery_pace.hpp"
#include "loss.hpp"

namespace p2pdiag::nat {

namespace {

// RFC 5780 section 4.3 concludes from three; with fewer where there are more, verdicts flap.
constexpr std::size_t enough_destinations = 3;

struct Pairs {
    unsigned equal = 0;
    unsigned different = 0;
    void add(bool same) { ++(same ? equal : different); }
    bool mixed() const { return equal > 0 && different > 0; }
};

// A mapping belongs to a local address and port (RFC 4787 section 4.1), and one socket may have
// another local address for each way out. The way with the most destinations is judged.
std::vector<Destination> of_one_way(const std::vector<Destination>& all) {
    std::vector<Destination> most;
    for (const Destination& first : all) {
        std::vector<Destination> same;
        for (const Destination& other : all) {
            if (other.local == first.local) same.push_back(other);
        }
        if (same.size() > most.size()) most = std::move(same);
    }
    return most;
}

bool servers_disagree(const std::vector<Destination>& destinations) {
    bool addresses_differ = false;
    for (const Destination& a : destinations) {
        for (const Destination& b : destinations) {
            if (a.name == b.name && a.mapped != b.mapped) return false;
            addresses_differ = addresses_differ || a.mapped.address != b.mapped.address;
        }
    }
    return addresses_differ;
}

// One socket at two ports to one and the same destination: no NAT does that within seconds.
bool saw_several(const Observations& seen) {
    return std::any_of(seen.probes.begin(), seen.probes.end(),
                       [](const Probe& probe) { return probe.mapped.size() > 1; });
}

// Some socket other than the mapping socket was seen with two public endpoints, from one local
// address.
bool another_socket_varies(const Observations& seen) {
    std::map<std::pair<SocketId, std::optional<IpAddress>>, Endpoint> first;
    for (const Probe& probe : seen.probes) {
        for (const Endpoint& mapped : probe.mapped) {
            if (!mapped.address.is_public()) continue;
            const auto& local = seen.servers[probe.server].local;
            const auto known = first.try_emplace({probe.socket, local}, mapped).first;
            if (known->second != mapped) return true;
        }
    }
    return false;
}

// Destinations that saw the mapping socket at two ports saw other sockets at one: so that was a
// collision with somebody else's port, and not the way of this NAT.
bool other_sockets_do_not_vary(const Observations& seen,
                               const std::vector<Destination>& destinations) {
    // Random ports may be equal by chance once.
    constexpr int sockets_to_believe = 2;
    std::map<Endpoint, Endpoint> mapping_socket;
    for (const Destination& d : destinations) mapping_socket[d.address] = d.mapped;
    std::map<SocketId, Probes> others;
    for (const Probe& probe : seen.probes) {
        const bool many_destinations = probe.role == Role::port_step || probe.role == Role::reach;
        const bool compares = mapping_socket.contains(probe.to) && !probe.mapped.empty();
        if (many_destinations && compares) others[probe.socket].push_back(&probe);
    }
    const auto does_not_vary = [&](const auto& other) {
        for (const Probe* a : other.second) {
            for (const Probe* b : other.second) {
                const bool alike = a->mapped.front() == b->mapped.front();
                if (alike && mapping_socket[a->to] != mapping_socket[b->to]) return true;
            }
        }
        return false;
    };
    return std::count_if(others.begin(), others.end(), does_not_vary) >= sockets_to_believe;
}

Probes every(const Observations& seen, Role role) {
    Probes found;
    for (const Probe& probe : seen.probes) {
        if (probe.role == role) found.push_back(&probe);
    }
    return found;
}

}  // namespace

MappingVerdict classify_mapping(const std::vector<Destination>& destinations) {
    if (destinations.size() < 2) return {Field<Dependence>::unknown(Reason::one_destination)};
    Pairs same_address;
    Pairs other_address;
    for (std::size_t i = 0; i < destinations.size(); ++i) {
        for (std::size_t j = i + 1; j < destinations.size(); ++j) {
            const Destination& a = destinations[i];
            const Destination& b = destinations[j];
            Pairs& pairs = a.address.address == b.address.address ? same_address : other_address;
            pairs.add(a.mapped == b.mapped);
        }
    }
    if (same_address.different + other_address.different == 0) {
        if (other_address.equal > 0) {
            return {Field<Dependence>::known(Dependence::endpoint_independent)};
        }
        return {Field<Dependence>::unknown(Reason::not_told_apart)};
    }
    if (same_address.mixed() || other_address.equal > 0) {
        return {Field<Dependence>::unknown(Reason::inconsistent)};
    }
    if (same_address.different > 0) {
        return {Field<Dependence>::known(Dependence::address_and_port_dependent), true};
    }
    if (same_address.equal > 0) {
        return {Field<Dependence>::known(Dependence::address_dependent), true};
    }
    return {Field<Dependence>::unknown(Reason::not_told_apart), true};
}

std::vector<Destination> destinations_of(const Observations& seen, Role role) {
    std::vector<Destination> found;
    bool any_public = false;
    for (const Probe& probe : seen.probes) {
        if (probe.role != role || probe.mapped.empty()) continue;
        const Server& server = seen.servers[probe.server];
        found.push_back({probe.to, probe.mapped.front(), server.name, server.local});
        any_public = any_public || probe.mapped.front().address.is_public();
    }
    if (any_public) {
        std::erase_if(found, [](const Destination& d) { return !d.mapped.address.is_public(); });
    }
    return found;
}

MappingVerdict judge_mapping(const Observations& seen) {
    const auto all = destinations_of(seen, Role::mapping);
    const auto comparable = of_one_way(all);
    const bool several_ways = comparable.size() < all.size();
    if (servers_disagree(comparable) || (several_ways && comparable.size() < 2)) {
        return {Field<Dependence>::unknown(Reason::servers_disagree)};
    }
    const MappingVerdict verdict = classify_mapping(comparable);
    const bool contradicted =
        saw_several(seen) || (verdict.varies ? other_sockets_do_not_vary(seen, comparable)
                                             : another_socket_varies(seen));
    if (contradicted) return {Field<Dependence>::unknown(Reason::inconsistent)};
    return verdict;
}

bool is_settled(const Observations& seen, const Probe& probe) {
    if (probe.answered || probe.error_code != 0) return true;
    const std::size_t overdue = seen.overdue_sends(probe);
    if (probe.exhausted) return overdue == probe.sends.size();
    if (overdue < fewest_sends) return false;
    return loss_excluded(seen, {&probe}, every(seen, Role::baseline));
}

bool mapping_settled(const Observations& seen, const MappingVerdict& verdict) {
    const auto& value = verdict.mapping.value;
    const bool independent = value == Dependence::endpoint_independent;
    if (independent && destinations_of(seen, Role::mapping).size() >= enough_destinations) {
        return true;
    }
    return std::all_of(seen.probes.begin(), seen.probes.end(), [&](const Probe& probe) {
        if (probe.role != Role::mapping || is_settled(seen, probe)) return true;
        return independent && seen.overdue_sends(probe) >= fewest_sends;
    });
}

}  // namespace p2pdiag::nat
