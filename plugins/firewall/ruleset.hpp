// A packet filter's rules as the evaluator walks them, wherever they were read. What a reader does
// not understand stands here as unknown; nothing is ever left out.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "bits.hpp"

namespace p2pdiag::firewall {

inline constexpr std::uint32_t no_index = std::numeric_limits<std::uint32_t>::max();

// ---- What a rule reads -------------------------------------------------------------------------

enum class Base : std::uint8_t { link, network, transport };

// Bits of the packet. A rule about a protocol's field does not match a packet of another protocol,
// whatever the comparison says: nft puts that condition in front of it and does not print it.
struct Payload {
    Base base = Base::network;
    std::uint32_t offset = 0;  // bits
    std::uint32_t length = 0;  // bits, 1 to 128
    std::optional<Family> family;
    std::optional<std::uint8_t> protocol;  // IANA number
};

enum class Meta : std::uint8_t {
    iif,  // by the name the interface has now, as nft prints it
    iifname,
    oif,
    oifname,
    iiftype,
    oiftype,
    mark,
    nfproto,
    l4proto,
    protocol,
    pkttype,
    length
};

enum class Ct : std::uint8_t {
    state,
    status,
    mark,
    direction,
    l3proto,
    protocol,
    source,  // of the original direction, as the following
    destination,
    source_port,
    destination_port
};

// A look into the routing tables.
struct Fib {
    enum class Result : std::uint8_t { type, interface, exists };
    Result result = Result::type;
    bool of_source = false;  // of the destination otherwise
    bool on_input = false;   // only routes through the interface it came in by
    bool on_output = false;
    bool with_mark = false;
};

// Of an extension header of IPv6 or an option of IPv4, of which our packets have none.
struct Absent {
    Family family = Family::ipv6;
    bool presence = false;  // asks whether it is there; to read a field of it breaks the rule off
};

// Something that this program cannot know.
struct Unknowable {
    std::string what;     // "ip ttl", "a random number", "xt match recent"
    bool circumstantial;  // understood, but a matter of time, rate or chance; not understood
                          // otherwise
    // Of a packet of another protocol there is no such thing: the rule does not match.
    std::optional<std::uint8_t> protocol = std::nullopt;
};

struct Expression;

struct Arithmetic {
    enum class Operation : std::uint8_t { bit_and, bit_or, bit_xor, shift_left, shift_right };
    Operation operation = Operation::bit_and;
    std::vector<Expression> operands;  // from left to right, two or more
};

struct MapLookup {
    std::vector<Expression> key;  // more than one: a concatenation
    std::uint32_t set = no_index;
};

struct Expression {
    std::variant<Bits, Payload, Meta, Ct, Fib, Absent, Arithmetic, MapLookup, Unknowable> form;
    std::uint8_t width = 32;  // bits of its value, 1 to 128
};

// ---- Sets and maps -----------------------------------------------------------------------------

// What a rule decides.
struct Decision {
    enum class Kind : std::uint8_t { accept, drop, next, back, jump, go, queue };
    Kind kind = Kind::accept;
    std::uint32_t chain = no_index;  // of a jump or go

    friend bool operator==(const Decision&, const Decision&) = default;
};

// What a map gives. Neither a decision nor values: it was not understood.
struct Datum {
    std::optional<Decision> decision;
    std::vector<Interval> values;  // one, or the parts of a concatenation

    friend bool operator==(const Datum&, const Datum&) = default;
};

// A named or anonymous set or map, made for look-ups in 100 000 elements.
struct Set {
    std::string name;  // empty for an anonymous one
    std::uint32_t table = no_index;
    std::size_t parts = 1;  // fields of a key
    // Element i has bounds[i * parts] and following, and of a map data[i], an index of `values`.
    // In order of the first field's low end.
    std::vector<Interval> bounds;
    std::vector<Bits> reach;  // the largest high end of the first field up to element i
    std::vector<std::uint32_t> data;
    std::vector<Datum> values;
    std::vector<bool> fleeting;  // may be gone or not count when the packet comes; empty: none
    std::optional<std::uint32_t> others;  // map: index of `values` for every other key ("*")
    bool has_others = false;              // set: matches every key
    bool has_unread = false;              // has elements that were not understood
    bool has_limit = false;               // a hit also asks a limit, quota or count
    std::uint64_t capacity = 0;           // most elements a rule may fill it up to; 0: not told

    std::size_t size() const { return parts == 0 ? 0 : bounds.size() / parts; }
};

// ---- What a rule does, step by step
// --------------------------------------------------------------

struct Match {
    enum class How : std::uint8_t { in_set, any_bit, no_bit };
    std::vector<Expression> left;  // more than one: a concatenation
    How how = How::in_set;
    bool negated = false;
    std::uint32_t set = no_index;  // in_set; every right side is one, a single value too
    Bits mask = 0;                 // any_bit, no_bit
};

// Goes on or breaks the rule off, and nobody can say which: limits, quotas, matches of xtables
// modules.
struct Uncertain {
    Unknowable why;
};

// Could do anything: accept, drop, rewrite.
struct Opaque {
    Unknowable why;
};

struct VerdictMap {
    MapLookup lookup;
};

struct Reject {
    std::string kind;                      // "icmp port-unreachable", "tcp reset"
    std::optional<Family> family;          // a rule about icmp does not match an IPv6 packet
    std::optional<std::uint8_t> protocol;  // "tcp reset": TCP alone
};

struct SetMark {
    bool of_connection = false;  // ct mark; meta mark otherwise
    Expression value;
};

// Writes what later rules may look at.
struct SetPayload {
    Payload where;
};

struct Untrack {};

struct Translate {
    enum class Kind : std::uint8_t { destination, redirect, source, masquerade };
    Kind kind = Kind::destination;
    std::optional<Family> family;  // packets of the other one go on
    // A value or its range, or neither: stays as it is. A map for the address may give the port
    // too.
    std::optional<Expression> address;
    std::optional<Expression> port;
    std::optional<Interval> address_range;
    std::optional<Interval> port_range;
    bool keeps_low_bits = false;  // netmap: the range is a prefix, the rest of the address stays
};

// add, update or delete of the packet's own key.
struct UpdateSet {
    std::uint32_t set = no_index;
    std::vector<Expression> key;
    bool removes = false;
    bool limited = false;  // with a statement that may break the rule off
};

// Marks the place of a statement that changes nothing for the verdict: log, counter.
struct Effectless {};

using Step = std::variant<Match, Uncertain, Opaque, Decision, VerdictMap, Reject, SetMark,
                          SetPayload, Untrack, Translate, UpdateSet, Effectless>;

// ---- Tables, chains, rules
// -----------------------------------------------------------------------

struct Rule {
    std::int64_t handle = 0;  // 0: none
    std::string text;         // as nft or iptables-save prints it, printable, cut at 400 characters
    std::string comment;
    std::vector<Step> steps;  // in the kernel's order
};

enum class TableFamily : std::uint8_t { ip, ip6, inet, netdev, bridge, arp, other };
std::string_view to_string(TableFamily family);

enum class Hook : std::uint8_t { ingress, prerouting, input, forward, output, postrouting, egress };
std::string_view to_string(Hook hook);

enum class ChainType : std::uint8_t { filter, nat, route };

struct Chain {
    std::string name;
    std::uint32_t table = no_index;
    std::vector<Rule> rules;

    bool is_base = false;  // what follows is of base chains alone
    // Nothing when the kernel knows a hook that this program does not.
    std::optional<Hook> hook;
    ChainType type = ChainType::filter;
    std::int32_t priority = 0;
    bool drops = false;                // its policy
    std::vector<std::string> devices;  // of ingress and egress; none: not told
    bool unread = false;               // type, priority or policy was not understood
};

struct Table {
    TableFamily family = TableFamily::inet;
    std::string name;
    bool dormant = false;        // surely switched off
    bool owned = false;          // by a running program: nobody else may change it
    bool maybe_dormant = false;  // nft 1.0.6 prints the table's name where its flags should be
    bool unlisted = false;       // known by its chains or sets alone: there may be more of it

    std::string title() const;  // "inet filter"
};

enum class Source : std::uint8_t { nft, iptables_nft, iptables_legacy };
std::string_view to_string(Source source);

struct Ruleset {
    Source source = Source::nft;
    std::vector<Table> tables;
    std::vector<Chain> chains;  // a chain of an iptables table is named as there, INPUT
    std::vector<Set> sets;
    // What the reader met and could not place in any chain; a verdict can rest on nothing then.
    std::vector<std::string> unplaced;
};

}  // namespace p2pdiag::firewall
