#include "roles.hpp"

#include <algorithm>

namespace p2pdiag::capture_plugin {

namespace {

struct You {
    IpAddress address;
    std::string reason;
};

// The address with the most of something, where it has more than twice as much as the next one.
template <class Measure>
std::optional<IpAddress> clear_winner(const HostTable& table, Measure measure) {
    std::optional<IpAddress> first;
    std::uint64_t most = 0;
    std::uint64_t second = 0;
    for (const auto& [address, stats] : table.all()) {
        const std::uint64_t value = measure(stats);
        if (value > most) {
            second = std::exchange(most, value);
            first = address;
        } else {
            second = std::max(second, value);
        }
    }
    if (most == 0 || second * 2 >= most) return std::nullopt;
    return first;
}

std::optional<You> find_you(const HostTable& table, const Evidence& evidence) {
    const auto marked = clear_winner(table, [](const HostStats& stats) { return stats.outbound; });
    if (marked) return You{*marked, "the capture marks its packets as outgoing"};
    const bool any_marked = std::ranges::any_of(
        table.all(), [](const auto& entry) { return entry.second.outbound > 0; });
    // Marks of several addresses: a router captured, or a machine with many. No guess.
    if (any_marked) return std::nullopt;
    // Of what both sides of a NAT show, the inner one asked.
    if (!evidence.translations.empty()) {
        const IpAddress inside = evidence.translations.front().inside.address;
        const bool all = std::ranges::all_of(evidence.translations, [&](const Translation& one) {
            return one.inside.address == inside;
        });
        if (all) return You{inside, "its requests go through the NAT that is in the capture"};
    }
    const auto asking = clear_winner(table, [](const HostStats& stats) { return stats.asked; });
    if (asking) return You{*asking, "nearly all requests come from it"};
    return std::nullopt;
}

void give_role(Host& host, const HostStats& stats, const std::optional<You>& you,
               const Evidence& evidence) {
    const auto is = [&host](Role role, std::string reason) {
        host.role = role;
        host.reason = std::move(reason);
    };
    const AddressScope scope = host.address.scope();
    const bool translated = std::ranges::any_of(evidence.translations, [&](const Translation& one) {
        return one.outside.address == host.address;
    });
    if (you && you->address == host.address) return is(Role::you, you->reason);
    if (scope == AddressScope::multicast || host.address == IpAddress::v4(0xFFFFFFFF)) {
        return is(Role::group, "a multicast or broadcast address");
    }
    if (translated) return is(Role::nat_outside, "requests of the inside appear again from it");
    if (stats.turn_server) return is(Role::turn_server, "TURN requests go to it");
    if (stats.relay) return is(Role::relay, "a TURN server gave it out as a relayed address");
    if (stats.router) return is(Role::router, "it answers to port mapping requests");
    if (stats.stun_server) return is(Role::stun_server, "it answers STUN requests");
    if (stats.dns_server) return is(Role::dns_server, "it answers DNS queries");
    if (stats.ice) return is(Role::peer, "connectivity checks (ICE) were exchanged with it");
    if (stats.punches) return is(Role::peer, "probes or the chat of p2pdiag are from or to it");
    if (stats.accepted) return is(Role::server, "it accepted a connection");
    if (stats.hop) return is(Role::hop, "it reported errors");
}

}  // namespace

std::vector<Host> hosts_of(const std::vector<Message>& messages, const HostTable& table,
                           const Evidence& evidence) {
    std::map<IpAddress, Host> found;
    for (const Message& message : messages) {
        for (const IpAddress& address : {message.from.address, message.to.address}) {
            Host& host = found[address];
            host.address = address;
            ++host.messages;
        }
    }
    const std::optional<You> you = find_you(table, evidence);
    std::vector<Host> hosts;
    for (auto& [address, host] : found) {
        const auto stats = table.all().find(address);
        give_role(host, stats == table.all().end() ? HostStats() : stats->second, you, evidence);
        hosts.push_back(std::move(host));
    }
    std::ranges::stable_sort(hosts, std::greater(), &Host::messages);
    return hosts;
}

}  // namespace p2pdiag::capture_plugin
