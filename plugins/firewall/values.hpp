// What the expressions of a rule read from a packet.
#pragma once

#include <set>

#include "route_rules.hpp"
#include "sets.hpp"
#include "state.hpp"

namespace p2pdiag::firewall {

// Where the packet is.
struct Stage {
    Hook hook = Hook::input;
    const net::Interface* in = nullptr;   // none: sent by this machine
    const net::Interface* out = nullptr;  // none: not routed yet, or for this machine
    bool out_known = true;                // false: goes out, but nobody can say where
};

struct Value {
    Known known;
    Truth breaks = Truth::no;   // reading it breaks the rule off: the packet has no such field
    std::vector<Known> others;  // further parts that a map gave: the port after the address
};

inline Value exactly(Bits value) { return {{value, 0}, Truth::no, {}}; }

class Values {
public:
    Values(const World& world, const Packet& packet, Reasons& reasons)
        : world_(world), packet_(packet), reasons_(reasons) {}

    // The rules that are looked at next, and where.
    void enter(const Ruleset& ruleset, const Chain& chain, const Stage& stage);

    Value read(const Expression& expression, const State& state);
    Truth test(const Match& match, const State& state);

    struct Looked {
        Truth breaks = Truth::no;
        Found found;
        const Set* set = nullptr;
    };
    Looked look(const MapLookup& lookup, const State& state);

    // A rule changes the set while packets pass: what is in it can no longer be told.
    void touch(std::uint32_t set);

    // What was met since the last call and is not known, as bits of Reasons.
    std::uint64_t take_unknown();

private:
    Value read_payload(const Payload& payload, const State& state);
    Value read_meta(Meta key, const State& state);
    Value read_link_type(const net::Interface* interface, bool known);
    Value read_ct(Ct key, std::uint8_t width, const State& state);
    Value read_ct_tuple(Ct key, std::uint8_t width, const State& state);
    Value read_fib(const Fib& fib, const State& state);
    Value read_fib_interface(const Fib& fib, const State& state, const net::Interface* within);
    Flow flow_of(const Fib& fib, const State& state) const;
    Value read_arithmetic(const Arithmetic& arithmetic, std::uint8_t width, const State& state);
    Value read_map(const MapLookup& lookup, const State& state);
    Value unknown(std::uint8_t width, std::string what, bool circumstantial);
    Value name_of(const net::Interface* interface, bool known);
    bool asks_for_loopback(const Match& match, const Set& set) const;
    void note(std::string what, bool circumstantial);
    void note_set(const Set& set);

    const World& world_;
    const Packet& packet_;
    Reasons& reasons_;
    const Ruleset* ruleset_ = nullptr;
    TableFamily family_ = TableFamily::inet;
    Stage stage_;
    std::set<std::pair<const Ruleset*, std::uint32_t>> touched_;
    std::uint64_t unknown_ = 0;
};

}  // namespace p2pdiag::firewall
