// macOS' packet filter, as pfctl lists its rules: pf.conf(5) with macros and lists written out.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/ways.hpp"
#include "model.hpp"

namespace p2pdiag::firewall::pf {

// "port = 8000", "port 1000:2000". Ends belong to it.
struct Ports {
    bool any = true;
    bool outside = false;  // all but these
    std::uint16_t low = 0;
    std::uint16_t high = 0;
    std::string unread;  // a name that is not known
};

struct Host {
    enum class Kind : std::uint8_t { any, range, table, interface, unread };
    Kind kind = Kind::any;
    bool negated = false;
    Family family = Family::ipv4;  // of a range
    Bits low = 0;
    Bits high = 0;
    std::string name;  // of a table or interface; of what is not understood its text
    Ports ports;
};

// What may or may not hold, and cannot be known beforehand or was not understood.
struct Open {
    std::string text;
    bool circumstantial = false;
};

struct Rule {
    enum class Action : std::uint8_t { pass, block, anchor };
    Action action = Action::pass;
    std::optional<Direction> direction;
    bool quick = false;
    std::string interface;  // empty: any
    bool not_interface = false;
    std::optional<Family> family;
    std::optional<std::uint8_t> protocol;  // IANA number
    std::optional<std::uint8_t> icmp_type;
    Host from;
    Host to;
    // Of a TCP packet these of the flags of `flags_of` must be set, and the others of them not.
    std::uint8_t flags = 0;
    std::uint8_t flags_of = 0;        // 0: flags do not matter
    std::optional<bool> keeps_state;  // of a pass; absent: not told
    bool limited = false;             // of a pass: so many connections and no more
    bool never = false;               // about fragments, which no packet in question is
    std::string returns;              // of a block: what it answers with, empty for nothing
    std::vector<Open> open;
    // Of a pass: words by which what it matches may end otherwise, or elsewhere.
    std::vector<std::string> opaque;
    std::string anchor;       // its name, as written; may end in "/*"
    std::vector<Rule> inner;  // of an anchor whose rules stand in braces
    bool has_inner = false;
    std::string text;         // printable
    std::int64_t number = 0;  // in its list, from 1
};

// A line that may rewrite addresses of what comes in before any rule sees it.
struct Redirect {
    Rule match;  // action and what follows it do not matter
    bool anchor = false;
};

struct TableEntry {
    bool negated = false;
    Family family = Family::ipv4;
    unsigned prefix = 0;  // bits; the entry with the longest decides
    Bits low = 0;
    Bits high = 0;
};

// Of the main list, or of an anchor.
struct List {
    std::vector<Rule> rules;
    std::vector<Redirect> redirects;
    bool cut = false;  // more than anybody has; the rest was left out
};

struct Ruleset {
    std::optional<bool> enabled;        // absent: no `pfctl -s info`
    bool has_rules = false;             // the main list is there, if empty
    bool has_translations = false;      // `pfctl -s nat` is there
    bool has_interfaces = false;        // `pfctl -v -s Interfaces` is there
    std::map<std::string, List> lists;  // by the anchor's path; "" is the main one
    // Paths of all anchors; absent: not listed. What is listed and has no list is not known.
    std::optional<std::set<std::string>> anchors;
    std::map<std::string, std::vector<TableEntry>> tables;  // by "anchor\nname"
    std::set<std::string> interfaces;                       // of the listing, and their groups
    std::set<std::string> skipped;                          // interfaces that pf leaves alone
    std::vector<std::string> unread;  // lines that were not understood: anything may be missing
};

// Whether pfctl prints such lines of a ruleset: rules, redirects, and those that decide nothing
// (scrub, dummynet).
bool is_rule_line(std::string_view line);

// Adds a line to its list. `opens`: it is an anchor whose rules stand in the lines up to "}".
struct Added {
    bool opens = false;
};
Added add_line(std::string_view line, List& list);

// "10.0.0.0/8", "! 10.1.2.3". Nothing when it is no entry of a table.
std::optional<TableEntry> read_entry(std::string_view text);

// Of the addresses in rules and tables.
std::vector<Interval> networks_named(const Ruleset& ruleset, Family family);

// How it ends, and whether pf then knows the connection.
struct End {
    foreign::End end;
    std::optional<bool> keeps_state;  // of one that passes
};
// Of exactly this packet, by `state` a first one or a later one of its connection that pf does not
// know. The main list first to last: the last rule that matches decides, unless one is `quick`.
std::vector<End> ends_of(const Ruleset& ruleset, const Packet& packet, foreign::Ways& ways);

}  // namespace p2pdiag::firewall::pf
