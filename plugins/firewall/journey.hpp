// A packet's way through the hooks: what runs where, in which order, and what happens between.
#pragma once

#include "walk.hpp"

namespace p2pdiag::firewall {

class Journey {
public:
    Journey(const World& world, const Packet& packet, const Limits& limits);

    // From the interface, or from a program here, to where it ends.
    Findings run();

private:
    struct Entry {
        enum class Kind : std::uint8_t { chain, conntrack, nat };
        std::int32_t priority = 0;
        Kind kind = Kind::chain;
        const Ruleset* ruleset = nullptr;
        const Chain* chain = nullptr;
    };
    using States = std::vector<State>;

    State start() const;
    bool prepare();
    void come_in(States states);
    void deliver(const States& states, const Stage& stage);
    void send_on(const State& state, int interface);
    States go_out(States states, const Stage& stage);
    void finish(const States& states, bool local, const net::Interface* out);
    States without_ipsec(const States& states, net::IpsecPolicy::Direction direction,
                         const net::Interface* link);

    States run_hook(const Stage& stage, States states);
    States run_group(const std::vector<Entry>& group, const Stage& stage, States states);
    States run_orders(const std::vector<Entry>& group, const Stage& stage, const States& states);
    States run_entry(const Entry& entry, const Stage& stage, const States& states);
    States run_nat(const Stage& stage, const States& states);
    States run_nat_chains(const Stage& stage, const States& states);
    std::vector<Entry> entries(const Stage& stage, bool nat) const;
    static std::string name_of(const Entry& entry);
    bool applies(const Ruleset& ruleset, const Chain& chain, const Stage& stage) const;
    void end_unknown(const States& states, const std::string& why, bool circumstantial);

    const World& world_;
    const Packet& packet_;
    Findings findings_;
    Walker walker_;
    const net::Interface* interface_ = nullptr;
};

}  // namespace p2pdiag::firewall
