// What holds of every verdict, whatever rules it is about.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "evaluate.hpp"

namespace p2pdiag::firewall::fuzz {

inline void require(bool holds) {
    if (!holds) std::abort();
}

inline void require_harmless(std::string_view text) {
    for (const char c : text) require(c >= ' ' && c <= '~');
}

inline World machine() {
    World world;
    net::Interface interface;
    interface.name = "vb";
    interface.index = 2;
    interface.kind = net::LinkKind::ethernet;
    interface.addresses = {{*IpAddress::parse("10.9.0.2"), 24}, {*IpAddress::parse("fd09::2"), 64}};
    world.interfaces.push_back(interface);
    world.sysctls.rp_filter = {{"vb", 0}};
    return world;
}

inline Packet packet(Family family, std::uint8_t protocol) {
    Packet made;
    made.interface = "vb";
    made.source = IpAddress::parse(family == Family::ipv4 ? "10.9.0.1" : "fd09::1");
    made.destination = *IpAddress::parse(family == Family::ipv4 ? "10.9.0.2" : "fd09::2");
    made.protocol = protocol;
    made.source_port = 7000;
    made.destination_port = 4000;
    return made;
}

inline void check(const Verdict& verdict, const Limits& limits) {
    require(!verdict.why.empty());
    require(verdict.trace.size() <= 2 * limits.max_trace);
    const bool definite =
        verdict.kind != VerdictKind::depends && verdict.kind != VerdictKind::undecided;
    require(!definite || verdict.passes.has_value());
    require(verdict.kind != VerdictKind::accept || verdict.passes == true);
    require(!verdict.deciding_rule || !verdict.deciding_rule->text.empty() ||
            verdict.deciding_rule->handle != 0);
    for (const TraceStep& step : verdict.trace) {
        require_harmless(step.rule.text);
        require_harmless(step.rule.comment);
        require_harmless(step.outcome);
    }
    require_harmless(verdict.why);
}

inline void judge(Ruleset ruleset) {
    World world = machine();
    world.rulesets.push_back(std::move(ruleset));
    Limits limits;
    limits.max_trace = 100;
    limits.max_steps = 20'000;
    limits.max_states = 16;
    check(assess_inbound(world, packet(Family::ipv4, protocol_udp), limits), limits);
    check(assess_inbound(world, packet(Family::ipv6, protocol_tcp), limits), limits);
    Packet ours = packet(Family::ipv4, protocol_udp);
    ours.direction = Direction::out;
    std::swap(*ours.source, ours.destination);
    check(assess_punching(world, ours, limits), limits);
    world.unseen = {{"a part", "not allowed"}};
    require(evaluate(world, packet(Family::ipv4, protocol_udp), limits).kind ==
            VerdictKind::undecided);
}

}  // namespace p2pdiag::firewall::fuzz
