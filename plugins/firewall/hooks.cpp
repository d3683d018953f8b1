// The part of Journey that runs the chains of one hook in the kernel's order.
#include <algorithm>
#include <bit>

#include "journey.hpp"
#include "rules_there.hpp"

namespace p2pdiag::firewall {

namespace {

// enum nf_ip_hook_priorities of include/uapi/linux/netfilter_ipv4.h
constexpr std::int32_t priority_conntrack = -200;
constexpr std::int32_t priority_nat_destination = -100;
constexpr std::int32_t priority_nat_source = 100;

// 2^n sets of chains are tried where their order is not known.
constexpr std::size_t most_unordered = 6;

bool is_outer(Hook hook) { return hook == Hook::ingress || hook == Hook::egress; }

bool starts_tracking(Hook hook) { return hook == Hook::prerouting || hook == Hook::output; }

bool settled(const State& state, Hook hook) {
    return starts_tracking(hook) ? state.destination_settled : state.source_settled;
}

void settle(State& state, Hook hook) {
    (starts_tracking(hook) ? state.destination_settled : state.source_settled) = true;
}

bool is_for_nat(const Packet& packet, const State& state, Hook hook) {
    return state.tracking == Tracking::tracked && !settled(state, hook) &&
           (packet.state == CtState::fresh || packet.state == CtState::related);
}

// Whether the packet passes a chain of ingress or egress cannot be told.
bool is_uncertain(const Chain& chain, const net::Interface* device) {
    return device == nullptr || device->name.empty() || chain.devices.empty();
}

// A connection is translated as its first packet was.
void follow_translation(const Packet& packet, State& state) {
    const auto& to = packet.translated_to;
    if (!to || packet.state != CtState::established || state.tracking != Tracking::tracked) return;
    state.destination_port = {to->port, 0};
    state.goes_to_some_own_address = to->address.scope() == AddressScope::unspecified;
    state.destination = state.goes_to_some_own_address
                            ? Known::nothing(to->address.is_v4() ? 32 : 128)
                            : Known{to_bits(to->address), 0};
}

bool same_packets(const std::vector<State>& a, const std::vector<State>& b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(),
                      [](const State& x, const State& y) { return x.same_packet(y); });
}

}  // namespace

bool Journey::applies(const Ruleset& ruleset, const Chain& chain, const Stage& stage) const {
    const Table& table = ruleset.tables[chain.table];
    if (!chain.is_base || table.dormant) return false;
    if (chain.hook != stage.hook) return false;
    if (is_outer(stage.hook)) {
        const net::Interface* device = stage.hook == Hook::ingress ? stage.in : stage.out;
        if (table.family != TableFamily::netdev && table.family != TableFamily::inet) return false;
        return is_uncertain(chain, device) || is_on(chain, device->name);
    }
    switch (table.family) {
        case TableFamily::inet: return true;
        case TableFamily::ip: return packet_.family() == Family::ipv4;
        case TableFamily::ip6: return packet_.family() == Family::ipv6;
        default: return false;
    }
}

std::vector<Journey::Entry> Journey::entries(const Stage& stage, bool nat) const {
    std::vector<Entry> found;
    bool any_nat = false;
    for (const Ruleset& ruleset : world_.rulesets) {
        for (const Chain& chain : ruleset.chains) {
            if (!applies(ruleset, chain, stage)) continue;
            const bool is_nat = chain.type == ChainType::nat && !is_outer(stage.hook);
            any_nat = any_nat || is_nat;
            if (is_nat == nat)
                found.push_back({chain.priority, Entry::Kind::chain, &ruleset, &chain});
        }
    }
    if (!nat) {
        // nat chains hang on one hook of their own, whatever their priorities: these order them
        // there.
        if (any_nat) {
            const bool first = starts_tracking(stage.hook);
            found.push_back({first ? priority_nat_destination : priority_nat_source,
                             Entry::Kind::nat, nullptr, nullptr});
        }
        if (starts_tracking(stage.hook)) {
            found.push_back({priority_conntrack, Entry::Kind::conntrack, nullptr, nullptr});
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Entry& a, const Entry& b) { return a.priority < b.priority; });
    return found;
}

Journey::States Journey::run_hook(const Stage& stage, States states) {
    const std::vector<Entry> all = entries(stage, false);
    for (std::size_t first = 0; first < all.size() && !states.empty();) {
        std::size_t end = first;
        while (end < all.size() && all[end].priority == all[first].priority) ++end;
        states = run_group({all.begin() + static_cast<std::ptrdiff_t>(first),
                            all.begin() + static_cast<std::ptrdiff_t>(end)},
                           stage, std::move(states));
        first = end;
    }
    return states;
}

Journey::States Journey::run_entry(const Entry& entry, const Stage& stage, const States& states) {
    if (entry.kind == Entry::Kind::nat) return run_nat(stage, states);
    if (entry.kind == Entry::Kind::conntrack) {
        States tracked;
        for (State state : states) {
            if (state.tracking == Tracking::none) {
                const bool left_out = packet_.state == CtState::untracked;
                state.tracking = left_out ? Tracking::untracked : Tracking::tracked;
            }
            merge(tracked, state);
        }
        return tracked;
    }
    const Table& table = entry.ruleset->tables[entry.chain->table];
    if (entry.chain->unread) {
        end_unknown(states, "the chain " + table.title() + ' ' + entry.chain->name, false);
        return states;
    }
    // A connection is translated once.
    const bool is_nat = entry.chain->type == ChainType::nat && !is_outer(stage.hook);
    States done;
    States open;
    for (const State& state : states) {
        (is_nat && settled(state, stage.hook) ? done : open).push_back(state);
    }
    States passed = walker_.run_base(*entry.ruleset, *entry.chain, stage, open);
    for (const State& state : done) merge(passed, state);
    const net::Interface* device = stage.hook == Hook::ingress ? stage.in : stage.out;
    const bool somewhere = is_outer(stage.hook) && is_uncertain(*entry.chain, device);
    if ((table.maybe_dormant || somewhere) && !same_packets(passed, states)) {
        const auto why = findings_.reasons.add(
            somewhere ? "whether the packet passes the interface of the chain " + table.title() +
                            ' ' + entry.chain->name
                      : "whether the table " + table.title() + " is dormant",
            false);
        for (State& state : passed) state.reasons |= why;
        for (State state : states) {
            state.reasons |= why;
            merge(passed, state);
        }
    }
    return passed;
}

// Chains of type nat see tracked packets alone, and the kernel tracks those of a family only while
// something wants it. What that may be is not all in the rules.
Journey::States Journey::run_nat(const Stage& stage, const States& states) {
    States passed = run_nat_chains(stage, states);
    States untouched;
    for (State state : states) {
        if (is_for_nat(packet_, state, stage.hook)) settle(state, stage.hook);
        merge(untouched, state);
    }
    if (same_packets(untouched, passed) || is_tracking_wanted(world_, packet_.family()))
        return passed;
    const auto why =
        findings_.reasons.add("whether anything makes the kernel track connections", false);
    for (State& state : passed) state.reasons |= why;
    for (State& state : untouched) {
        state.reasons |= why;
        merge(passed, state);
    }
    return passed;
}

// Without a nat chain that takes it, a connection's addresses are settled too, as they are.
Journey::States Journey::run_nat_chains(const Stage& stage, const States& states) {
    States passed;
    States open;
    for (State state : states) {
        if (stage.hook == Hook::prerouting) follow_translation(packet_, state);
        merge(is_for_nat(packet_, state, stage.hook) ? open : passed, state);
    }
    const std::vector<Entry> all = entries(stage, true);
    for (std::size_t first = 0; first < all.size() && !open.empty();) {
        std::size_t end = first;
        while (end < all.size() && all[end].priority == all[first].priority) ++end;
        const States behind = run_group({all.begin() + static_cast<std::ptrdiff_t>(first),
                                         all.begin() + static_cast<std::ptrdiff_t>(end)},
                                        stage, std::move(open));
        open.clear();
        for (const State& state : behind) merge(settled(state, stage.hook) ? passed : open, state);
        first = end;
    }
    for (State state : open) {
        settle(state, stage.hook);
        merge(passed, state);
    }
    return passed;
}

Journey::States Journey::run_group(const std::vector<Entry>& group, const Stage& stage,
                                   States states) {
    if (group.size() == 1) return run_entry(group.front(), stage, states);
    // Where each of them lets everything pass as it was, their order is all the same.
    bool indifferent = true;
    States all = states;
    for (const Entry& entry : group) {
        const States behind = run_entry(entry, stage, states);
        indifferent = indifferent && same_packets(behind, states);
        for (const State& state : behind) merge(all, state);
    }
    return indifferent ? all : run_orders(group, stage, states);
}

std::string Journey::name_of(const Entry& entry) {
    if (entry.kind == Entry::Kind::conntrack) return "connection tracking";
    if (entry.kind == Entry::Kind::nat) return "address translation";
    return entry.ruleset->tables[entry.chain->table].title() + ' ' + entry.chain->name;
}

// Every order that there may be, by what has run so far: the states behind a set of chains come
// from those behind the set without one of them.
Journey::States Journey::run_orders(const std::vector<Entry>& group, const Stage& stage,
                                    const States& states) {
    std::string names;
    for (const Entry& entry : group) {
        if (!names.empty()) names += ", ";
        names += name_of(entry);
    }
    findings_.orders.push_back(names);
    if (group.size() > most_unordered) {
        end_unknown(states, "the order of chains with equal priority: " + names, false);
        return states;
    }
    walker_.set_tracing(false);
    std::vector<States> behind(std::size_t{1} << group.size());
    behind[0] = states;
    for (std::size_t set = 1; set < behind.size(); ++set) {
        for (std::size_t last = 0; last < group.size(); ++last) {
            const std::size_t bit = std::size_t{1} << last;
            if ((set & bit) == 0) continue;
            for (const State& state : run_entry(group[last], stage, behind[set & ~bit])) {
                merge(behind[set], state);
            }
        }
    }
    walker_.set_tracing(true);
    return behind.back();
}

}  // namespace p2pdiag::firewall
