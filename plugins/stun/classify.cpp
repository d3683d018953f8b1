#include "classify.hpp"

#include <algorithm>

#include "discovery_pace.hpp"
#include "filtering.hpp"
#include "loss.hpp"
#include "mapping.hpp"
#include "peer_ports.hpp"
#include "ports.hpp"
#include "reach.hpp"

namespace p2pdiag::nat {

namespace {

std::optional<Endpoint> local_of(const Observations& seen, const Probe& probe) {
    const std::uint16_t port = seen.sockets[probe.socket].local_port;
    const auto& address = seen.servers[probe.server].local;
    if (!address || port == 0) return std::nullopt;
    return Endpoint{*address, port};
}

Reason why_nothing_answered(const Observations& seen) {
    if (seen.servers.empty()) return Reason::no_server;
    switch (judge_udp(seen)) {
        case UdpPath::blocked: return Reason::udp_blocked;
        case UdpPath::tcp_only: return Reason::one_destination;
        case UdpPath::no_valid_answer: return Reason::no_valid_answer;
        case UdpPath::other_ports: return Reason::only_other_ports;
        case UdpPath::stun_filtered: return Reason::stun_filtered;
        case UdpPath::pending: return seen.finished ? Reason::loss : Reason::cancelled;
        case UdpPath::works:
        case UdpPath::no_answer: break;
    }
    return Reason::no_server_answered;
}

Field<NatType> name_of(const Verdict& verdict) {
    if (verdict.mapping.reason == Reason::inconsistent ||
        verdict.mapping.reason == Reason::servers_disagree) {
        return Field<NatType>::unknown(Reason::mapping_unknown);
    }
    if (verdict.behind_nat.value == false) {
        if (!verdict.filtering.value) return Field<NatType>::unknown(Reason::filtering_unknown);
        const bool open = verdict.filtering.value == Dependence::endpoint_independent;
        return Field<NatType>::known(open ? NatType::open : NatType::symmetric_firewall);
    }
    if (verdict.mapping_varies) return Field<NatType>::known(NatType::symmetric);
    if (!verdict.behind_nat.value) return Field<NatType>::unknown(verdict.behind_nat.reason);
    if (!verdict.mapping.value) return Field<NatType>::unknown(Reason::mapping_unknown);
    if (!verdict.filtering.value) return Field<NatType>::unknown(Reason::filtering_unknown);
    switch (*verdict.filtering.value) {
        case Dependence::endpoint_independent: return Field<NatType>::known(NatType::full_cone);
        case Dependence::address_dependent: return Field<NatType>::known(NatType::restricted_cone);
        case Dependence::address_and_port_dependent: break;
    }
    return Field<NatType>::known(NatType::port_restricted_cone);
}

void add_addresses(const Observations& seen, Verdict& verdict) {
    std::vector<SocketId> sockets;
    auto& addresses = verdict.public_addresses;
    for (const Probe& probe : seen.probes) {
        for (const Endpoint& mapped : probe.mapped) {
            if (!mapped.address.is_public()) continue;
            sockets.push_back(probe.socket);
            const bool known =
                std::find(addresses.begin(), addresses.end(), mapped.address) != addresses.end();
            if (!known) addresses.push_back(mapped.address);
        }
    }
    std::sort(sockets.begin(), sockets.end());
    sockets.erase(std::unique(sockets.begin(), sockets.end()), sockets.end());
    if (addresses.size() > 1) {
        verdict.pooling_paired = Field<bool>::known(false);
    } else if (sockets.size() > 1) {
        verdict.pooling_paired = Field<bool>::known(true);
    } else {
        verdict.pooling_paired = Field<bool>::unknown(Reason::one_destination);
    }
}

// A carrier also numbers plain routers from RFC 6598, so it is a hint only behind some NAT, and
// only this near.
void add_hints(const Observations& seen, Verdict& verdict) {
    for (const Server& server : seen.servers) {
        if (!server.local) continue;
        // A 464XLAT translator's own rewriting is no NAT that a router does.
        const bool translated = server.local->is_clat_side();
        verdict.translated_from_ipv6 = verdict.translated_from_ipv6 || translated;
        const bool carrier = server.local->scope() == AddressScope::carrier_grade;
        // VPNs number their tunnels from RFC 6598, too.
        const bool tunnel = server.egress && server.egress->kind == net::LinkKind::tunnel;
        if (carrier && !tunnel) verdict.carrier_local = server.local;
    }
    if (verdict.behind_nat.value == false) verdict.carrier_local.reset();
    // Behind a 464XLAT translator the one NAT is the provider's: no hop shows a second.
    const bool hop_tells = verdict.behind_nat.value == true && !verdict.translated_from_ipv6;
    for (const Hop& hop : seen.hops) {
        if (verdict.carrier_hop || !hop_tells) break;
        if (hop.address.scope() == AddressScope::carrier_grade) verdict.carrier_hop = hop.address;
    }
}

Verdict without_answer(const Observations& seen) {
    Verdict verdict;
    const Reason reason = why_nothing_answered(seen);
    verdict.local.reason = verdict.public_endpoint.reason = reason;
    verdict.mapping.reason = verdict.filtering.reason = verdict.nat_type.reason = reason;
    verdict.behind_nat.reason = verdict.port_preservation.reason = reason;
    verdict.port_step.reason = verdict.hairpinning.reason = reason;
    verdict.pooling_paired.reason = verdict.unlisted_ports.reason = reason;
    if (reason == Reason::udp_blocked)
        verdict.nat_type = Field<NatType>::known(NatType::udp_blocked);
    return verdict;
}

// Where no answer is safe from rewriting, an ALG may have put the local address into all of them:
// nothing that was read from them counts.
void distrust_addresses(Verdict& verdict) {
    constexpr Reason reason = Reason::plain_address;
    verdict.mapping = Field<Dependence>::unknown(reason);
    verdict.mapping_varies = false;
    verdict.port_preservation = verdict.pooling_paired = Field<bool>::unknown(reason);
    verdict.port_step = Field<int>::unknown(reason);
    verdict.public_endpoint = Field<Endpoint>::unknown(reason);
    verdict.nat_type = Field<NatType>::unknown(reason);
    verdict.public_addresses.clear();
}

// The packets may have gone several ways, and it is not said of which of them something holds.
void distrust_comparison(Verdict& verdict) {
    constexpr Reason reason = Reason::servers_disagree;
    verdict.mapping = Field<Dependence>::unknown(reason);
    verdict.mapping_varies = false;
    verdict.pooling_paired = Field<bool>::unknown(reason);
}

// What the discovery still waited for at its end counts as lost.
template <class T>
void settle(const Observations& seen, Field<T>& field) {
    if (field.reason != Reason::pending) return;
    field.reason = seen.finished ? Reason::loss : Reason::cancelled;
}

}  // namespace

Field<bool> judge_behind_nat(const Observations& seen) {
    const auto destinations = destinations_of(seen, Role::mapping);
    // Something did answer, to another socket than the one that mappings are compared on.
    if (destinations.empty()) return Field<bool>::unknown(Reason::loss);
    bool differs = false;
    bool same = false;
    bool same_plain = false;
    for (const Probe& probe : seen.probes) {
        const bool counts =
            std::any_of(destinations.begin(), destinations.end(), [&](const Destination& d) {
                return probe.role == Role::mapping && d.address == probe.to;
            });
        if (!counts) continue;
        const auto local = local_of(seen, probe);
        if (!local) return Field<bool>::unknown(Reason::local_unknown);
        if (probe.mapped.front() != *local) {
            differs = true;
        } else {
            (probe.plain_address ? same_plain : same) = true;
        }
    }
    // A NAT on the way to some of them only; or a server that is mistaken.
    if (differs && same) return Field<bool>::unknown(Reason::servers_disagree);
    if (differs) return Field<bool>::known(true);
    // An ALG may have turned a plain MAPPED-ADDRESS back into the local one (RFC 8489 section
    // 14.2).
    if (!same && same_plain) return Field<bool>::unknown(Reason::plain_address);
    // A server in the same private network sees the local address however many NATs are further
    // out.
    if (same && !destinations.front().mapped.address.is_public()) {
        return Field<bool>::unknown(Reason::server_inside);
    }
    return Field<bool>::known(false);
}

Field<bool> judge_hairpinning(const Observations& seen) {
    if (!seen.hairpin_asked) return Field<bool>::unknown(Reason::not_asked);
    Probes probes;
    Probes baseline;
    for (const Probe& probe : seen.probes) {
        if (probe.role == Role::hairpin) probes.push_back(&probe);
        if (probe.role == Role::baseline) baseline.push_back(&probe);
    }
    if (std::any_of(probes.begin(), probes.end(), [](const Probe* p) { return p->answered; })) {
        return Field<bool>::known(true);
    }
    const MappingVerdict mapping = judge_mapping(seen);
    const Field<bool> behind = judge_behind_nat(seen);
    if (behind.value == false) return Field<bool>::unknown(Reason::not_behind_nat);
    // On a varying mapping, the endpoint that the server saw is not the one to send to.
    if (mapping.varies) return Field<bool>::unknown(Reason::mapping_varies);
    if (!behind.value) return Field<bool>::unknown(behind.reason);
    if (probes.empty()) return Field<bool>::unknown(Reason::pending);
    bool enough = true;
    bool over = true;
    for (const Probe* probe : probes) {
        const std::size_t overdue = seen.overdue_sends(*probe);
        enough = enough && overdue >= fewest_sends;
        over = over && probe->exhausted && overdue == probe->sends.size();
    }
    const bool independent = mapping.mapping.value == Dependence::endpoint_independent;
    if (enough && independent && loss_excluded(seen, probes, baseline)) {
        return Field<bool>::known(false);
    }
    if (!over) return Field<bool>::unknown(Reason::pending);
    return Field<bool>::unknown(independent ? Reason::loss : Reason::mapping_unknown);
}

Verdict classify(const Observations& seen) {
    if (!seen.anything_answered()) return without_answer(seen);
    Verdict verdict;
    MappingVerdict mapping = judge_mapping(seen);
    if (mapping.varies && controls_deny(seen, mapping.mapping)) {
        mapping = {Field<Dependence>::unknown(Reason::inconsistent)};
    }
    verdict.mapping = mapping.mapping;
    verdict.mapping_varies = mapping.varies;
    verdict.filtering = judge_filtering(seen, mapping.varies);
    verdict.behind_nat = judge_behind_nat(seen);
    verdict.port_preservation = judge_preservation(seen);
    verdict.port_step =
        mapping.varies ? judge_step(seen) : Field<int>::unknown(Reason::not_varying);
    verdict.hairpinning = judge_hairpinning(seen);
    verdict.unlisted_ports = judge_unlisted_ports(seen);
    verdict.destinations = destinations_of(seen, Role::mapping);
    add_addresses(seen, verdict);
    add_hints(seen, verdict);
    if (verdict.mapping.reason == Reason::servers_disagree ||
        verdict.behind_nat.reason == Reason::servers_disagree) {
        distrust_comparison(verdict);
    }

    verdict.local.reason = Reason::local_unknown;
    verdict.public_endpoint.reason = Reason::server_inside;
    if (verdict.destinations.empty()) {
        verdict.public_endpoint.reason = Reason::loss;
    } else if (verdict.destinations.front().mapped.address.is_public()) {
        verdict.public_endpoint = Field<Endpoint>::known(verdict.destinations.front().mapped);
    }
    for (const Probe& probe : seen.probes) {
        const auto local = local_of(seen, probe);
        if (probe.role != Role::mapping || !probe.answered || !local) continue;
        verdict.local = Field<Endpoint>::known(*local);
        break;
    }
    const bool inside = !verdict.public_endpoint.value;
    verdict.nat_type =
        inside ? Field<NatType>::unknown(verdict.public_endpoint.reason) : name_of(verdict);
    if (verdict.behind_nat.reason == Reason::plain_address) distrust_addresses(verdict);
    settle(seen, verdict.filtering);
    settle(seen, verdict.port_step);
    settle(seen, verdict.hairpinning);
    return verdict;
}

}  // namespace p2pdiag::nat
