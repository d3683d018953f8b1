// What the machine does with a packet, and which rule says so. A definite verdict is never a guess:
// every condition that cannot be known is followed both ways, and only where all ways end alike is
// it said.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"

namespace p2pdiag::firewall {

enum class VerdictKind : std::uint8_t {
    accept,
    reply_only,  // a fresh packet does not pass, one that answers ours does
    reject,      // refused with an answer: to the sender it looks like a closed port
    drop,
    depends,   // on something understood: a rate, the time, the sender's address
    undecided  // something was not understood, not seen, or too much
};
std::string_view to_string(VerdictKind kind);  // as in the report: "reply-only"

// A rule, or the policy of a base chain, or something besides the rules (rp_filter, routing).
struct RuleRef {
    std::string table;  // "inet filter"; empty when it is no rule's doing
    std::string chain;
    std::int64_t handle = 0;  // 0: a policy, or a rule without one
    std::string text;         // "udp dport 8000 accept", "policy drop", "reverse path filter"
    std::string comment;
    std::string owner;  // whose rule it is: "ufw", "nft"; see owner.hpp

    friend bool operator==(const RuleRef&, const RuleRef&) = default;
};

struct TraceStep {
    Hook hook = Hook::input;
    RuleRef rule;
    bool certain = true;  // false: whether the packet gets here or the rule matches is open
    std::string
        outcome;  // "accept", "jump c", "does not apply", "mark 7", "end of the table's chain"
};

// Where an accepted packet ends up, after every rewriting.
struct Delivery {
    bool local = true;  // to a program here; forwarded otherwise
    // 0.0.0.0 or ::, of a local one: one of the machine's own, not known which.
    IpAddress destination;
    std::uint16_t port = 0;
    std::string interface;  // that a forwarded packet leaves by; may be empty

    bool is_exact() const { return destination.scope() != AddressScope::unspecified; }

    friend bool operator==(const Delivery&, const Delivery&) = default;
};

// One way in which an accepted packet comes through.
struct Arrival {
    std::optional<Delivery> delivery;  // nothing: not known where
    bool tracked = true;               // by connection tracking
    bool marked = false;               // or may be, with another mark than 0
    std::optional<std::uint32_t> connection_mark;

    friend bool operator==(const Arrival&, const Arrival&) = default;
};

struct Verdict {
    VerdictKind kind = VerdictKind::undecided;
    std::optional<bool> passes;  // known even where the kind is not: a reject and a drop both block
    // What becomes of a packet that is on no list and exceeds no limit; nothing: not known.
    std::optional<bool> ordinarily_passes;
    std::string reject_kind;               // of a reject: "icmp port-unreachable"
    std::string why;                       // one sentence
    std::vector<std::string> open;         // what it depends on, or was not understood
    std::optional<RuleRef> deciding_rule;  // none: no rule spoke
    std::optional<Delivery> delivery;      // of an accept, where it is certain
    std::vector<Arrival> arrivals;         // every way that ends well, each once
    std::vector<TraceStep> trace;
    bool trace_cut = false;  // there was more than max_trace
};

struct Limits {
    std::size_t max_trace = 2000;
    std::uint64_t max_steps = 4'000'000;  // rules looked at, over all ways
    std::size_t max_states = 64;          // ways followed at the same time
};

// Of exactly this packet: accept, reject, drop, depends or undecided.
Verdict evaluate(const World& world, const Packet& packet, const Limits& limits = {});

// Of a packet from outside to a port here: evaluates it as a fresh one and, if that does not pass,
// as an answer to one of ours. `packet.state` does not matter.
Verdict assess_inbound(const World& world, const Packet& packet, const Limits& limits = {});

// Of a packet of ours and the answer to it: accept when both pass; else the verdict of the one that
// does not. `packet` goes out; source address and port must be there.
Verdict assess_punching(const World& world, const Packet& packet, const Limits& limits = {});

}  // namespace p2pdiag::firewall
