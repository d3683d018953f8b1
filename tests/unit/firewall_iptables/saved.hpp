// Lines of iptables-save for the machine of tests/unit/firewall.
#pragma once

#include "iptables_save.hpp"
#include "machine.hpp"

namespace p2pdiag::firewall {

inline Ruleset saved(const std::string& text, Family family = Family::ipv4,
                     Source source = Source::iptables_legacy) {
    Reading reading = read_iptables_save(text, family, source);
    if (!reading) throw std::runtime_error(reading.error().message);
    return std::move(*reading);
}

inline std::string error_of(const std::string& text) {
    const Reading reading = read_iptables_save(text, Family::ipv4, Source::iptables_legacy);
    return reading ? "" : reading.error().message;
}

inline std::string filter_table(const std::string& lines, const std::string& policy = "DROP") {
    return "*filter\n:INPUT " + policy + " [0:0]\n" + lines + "\nCOMMIT\n";
}

inline World with(const Ruleset& ruleset) {
    World world = machine();
    world.rulesets.push_back(ruleset);
    return world;
}

// What becomes of the packet in a chain INPUT of this one rule, which accepts, and the policy DROP.
// Whether the rule matches, that is: accept, drop, or neither where it cannot be told.
inline VerdictKind matched(const std::string& conditions, const Packet& asked = packet()) {
    const std::string text = filter_table("-A INPUT " + conditions + " -j ACCEPT");
    return evaluate(with(saved(text, asked.family())), asked).kind;
}

}  // namespace p2pdiag::firewall
