// Building sets and looking keys up in them.
#pragma once

#include <span>
#include <vector>

#include "ruleset.hpp"

namespace p2pdiag::firewall {

class SetBuilder {
public:
    explicit SetBuilder(std::size_t parts) { set_.parts = parts; }

    // Of a set. `key` has as many parts as the set; another number counts as not understood.
    void add(std::span<const Interval> key, bool fleeting = false);
    // Of a map.
    void add(std::span<const Interval> key, const Datum& datum, bool fleeting = false);
    void add_others() { set_.has_others = true; }
    void add_others(const Datum& datum);
    void add_unread() { set_.has_unread = true; }

    // The set in the order that look-ups need. To be called once, last.
    Set finish();

private:
    std::uint32_t intern(const Datum& datum);

    Set set_;
    std::vector<bool> fleeting_;
    bool any_fleeting_ = false;
};

// A set of this single value, for the right side of a comparison.
Set single(Interval value);

// What a look-up may find. Of a set, every hit is the same; of a map, indices of `values`.
struct Found {
    bool may_miss = false;
    bool may_hit = false;
    bool any_value = false;  // the hit may give anything: not understood, or too many to follow
    std::vector<std::uint32_t> hits;

    bool is_miss() const { return !may_hit; }
    bool is_hit() const { return may_hit && !may_miss; }
};

// More possible values than this are not told apart.
inline constexpr std::size_t max_hits = 16;

// `key` has as many parts as the set.
Found look_up(const Set& set, std::span<const Known> key);

}  // namespace p2pdiag::firewall
