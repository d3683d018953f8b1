// What the matches and targets of iptables mean, as steps of a Rule.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "iptables_line.hpp"
#include "ruleset.hpp"

namespace p2pdiag::firewall::xtables {

struct Context {
    Ruleset& ruleset;  // takes the sets
    Family family = Family::ipv4;
    std::string_view table;  // "filter"
};

using Steps = std::vector<Step>;

// What has to hold for a rule. Steps can only be joined by "and"; a condition that is an "or" makes
// several ways that exclude each other, each of which becomes a rule with the same target.
class Conditions {
public:
    explicit Conditions(Context& context) : context_(context) {}

    void require(Step step);
    // The value lies in one of the intervals; `negated`: in none.
    void require(Expression left, const std::vector<Interval>& right, bool negated = false);
    // Any of these bits is set; `negated`: none is.
    void require_bits(Expression left, Bits mask, bool negated = false);
    void require_one_of(const std::vector<Conditions>& ways);

    Family family() const { return context_.family; }
    Conditions fresh() const { return Conditions(context_); }
    std::vector<Steps> take() && { return std::move(ways_); }

private:
    Context& context_;
    std::vector<Steps> ways_ = {{}};
};

// More ways than this and the condition counts as not understood.
inline constexpr std::size_t max_ways = 16;

// Adds all matches of the line; its comment, if it has one, comes back. What is not understood is
// there as Uncertain.
std::string read_matches(const Line& line, Conditions& conditions);

// Whether the module was understood, together with the rest of its options.
bool read_conntrack(const Module& module, Conditions& conditions);
bool read_addrtype(const Module& module, Conditions& conditions);

// Connection tracking knows the packet: it is neither invalid nor untracked.
void require_tracked(Conditions& conditions, bool tracked = true);

// Of a target that is no chain of the table's own. Steps in the order of the kernel, none for one
// that changes nothing.
Steps read_target(const Module& target, const Context& context);

// ---- values

// Decimal or, after 0x, hexadecimal.
std::optional<std::uint32_t> read_number(std::string_view text);
// "7/0xff"; the mask is all ones where none stands.
struct Masked {
    std::uint32_t value = 0;
    std::uint32_t mask = 0xffffffff;
};
std::optional<Masked> read_masked(std::string_view text);
// "4000", "4000:4010", ":1023"; `separator` other than ':' as in "4000-4010". Ends in ascending
// order.
std::optional<Interval> read_range(std::string_view text, std::uint32_t most, char separator = ':');
std::vector<std::string_view> split_list(std::string_view text, char separator = ',');

}  // namespace p2pdiag::firewall::xtables
