#include "sets.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace p2pdiag::firewall {

namespace {

// Maps of addresses have as many values as keys: beyond these none is looked for among the others.
constexpr std::size_t most_interned = 64;

// The new order of the elements: by the first field's low end.
std::vector<std::uint32_t> sorted_order(const Set& set) {
    std::vector<std::uint32_t> order(set.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto low = [&](std::uint32_t element) { return set.bounds[element * set.parts].low; };
    const auto before = [&](std::uint32_t a, std::uint32_t b) { return low(a) < low(b); };
    if (!std::is_sorted(order.begin(), order.end(), before)) {
        std::stable_sort(order.begin(), order.end(), before);
    }
    return order;
}

class Search {
public:
    Search(const Set& set, std::span<const Known> key) : set_(set), key_(key) {}

    Found run() {
        visit_candidates();
        if (certain_) return std::move(found_);
        if (set_.has_others) {
            hit(set_.others.value_or(0), Truth::yes);
        } else {
            found_.may_miss = true;
        }
        if (set_.has_unread) found_.may_hit = found_.any_value = true;
        return std::move(found_);
    }

private:
    // Elements whose first field may hold the key's: their low end is not beyond it, and walking
    // down from there, `reach` tells when none further down gets as far.
    void visit_candidates() {
        const Known& first = key_[0];
        std::size_t low = 0;
        std::size_t high = set_.size();
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            if (set_.bounds[middle * set_.parts].low <= first.most()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        while (low-- > 0 && set_.reach[low] >= first.least()) {
            const Truth truth = holds(low);
            if (truth != Truth::no)
                hit(set_.data.empty() ? 0 : set_.data[low], softened(truth, low));
            if (done()) return;
        }
    }

    Truth holds(std::size_t element) const {
        Truth all = Truth::yes;
        for (std::size_t part = 0; part < set_.parts; ++part) {
            const Truth truth = key_[part].in(set_.bounds[element * set_.parts + part]);
            if (truth == Truth::no) return Truth::no;
            if (truth == Truth::maybe) all = Truth::maybe;
        }
        return all;
    }

    Truth softened(Truth truth, std::size_t element) const {
        return !set_.fleeting.empty() && set_.fleeting[element] ? Truth::maybe : truth;
    }

    void hit(std::uint32_t value, Truth truth) {
        found_.may_hit = true;
        if (truth == Truth::yes) certain_ = true;
        if (set_.data.empty() && !set_.others) return;
        if (std::find(found_.hits.begin(), found_.hits.end(), value) != found_.hits.end()) return;
        if (found_.hits.size() < max_hits) {
            found_.hits.push_back(value);
        } else {
            found_.any_value = true;
        }
    }

    // Nothing further can change the answer. A map's overlapping elements all count.
    bool done() const { return set_.data.empty() && !set_.others ? certain_ : found_.any_value; }

    const Set& set_;
    std::span<const Known> key_;
    Found found_;
    bool certain_ = false;
};

}  // namespace

void SetBuilder::add(std::span<const Interval> key, bool fleeting) {
    if (key.size() != set_.parts) return add_unread();
    set_.bounds.insert(set_.bounds.end(), key.begin(), key.end());
    fleeting_.push_back(fleeting);
    any_fleeting_ = any_fleeting_ || fleeting;
}

void SetBuilder::add(std::span<const Interval> key, const Datum& datum, bool fleeting) {
    if (key.size() != set_.parts) return add_unread();
    add(key, fleeting);
    set_.data.push_back(intern(datum));
}

void SetBuilder::add_others(const Datum& datum) {
    set_.has_others = true;
    set_.others = intern(datum);
}

std::uint32_t SetBuilder::intern(const Datum& datum) {
    const std::size_t known = std::min(set_.values.size(), most_interned);
    for (std::size_t i = 0; i < known; ++i) {
        if (set_.values[i] == datum) return static_cast<std::uint32_t>(i);
    }
    set_.values.push_back(datum);
    return static_cast<std::uint32_t>(set_.values.size() - 1);
}

Set SetBuilder::finish() {
    const std::vector<std::uint32_t> order = sorted_order(set_);
    std::vector<Interval> bounds;
    bounds.reserve(set_.bounds.size());
    std::vector<std::uint32_t> data;
    data.reserve(set_.data.size());
    for (const std::uint32_t element : order) {
        const auto first = set_.bounds.begin() + static_cast<std::ptrdiff_t>(element * set_.parts);
        bounds.insert(bounds.end(), first, first + static_cast<std::ptrdiff_t>(set_.parts));
        if (!set_.data.empty()) data.push_back(set_.data[element]);
        if (any_fleeting_) set_.fleeting.push_back(fleeting_[element]);
    }
    set_.bounds = std::move(bounds);
    set_.data = std::move(data);
    set_.reach.reserve(set_.size());
    Bits reach = 0;
    for (std::size_t i = 0; i < set_.size(); ++i) {
        reach = std::max(reach, set_.bounds[i * set_.parts].high);
        set_.reach.push_back(reach);
    }
    return std::move(set_);
}

Set single(Interval value) {
    Set set;
    set.bounds = {value};
    set.reach = {value.high};
    return set;
}

Found look_up(const Set& set, std::span<const Known> key) {
    if (key.empty() || key.size() != set.parts) {
        return {.may_miss = true, .may_hit = true, .any_value = true, .hits = {}};
    }
    return Search(set, key).run();
}

}  // namespace p2pdiag::firewall
