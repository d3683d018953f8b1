#include "diagnosis/rules_logic.hpp"

#include <algorithm>
#include <limits>

#include "diagnosis/engine.hpp"
#include "diagnosis/facts.hpp"

namespace p2pdiag::diagnosis {

namespace {

bool same(const Test& a, const Test& b) {
    return a.path == b.path && a.one_of == b.one_of && a.is_not == b.is_not && a.above == b.above &&
           a.below == b.below && a.at_least == b.at_least && a.at_most == b.at_most &&
           a.measured == b.measured;
}

bool is_within(const std::vector<json::value>& few, const std::vector<json::value>& many) {
    return std::ranges::all_of(
        few, [&](const json::value& one) { return std::ranges::find(many, one) != many.end(); });
}

std::optional<std::string> contradiction(const Test& test) {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    const double low = std::max(test.above.value_or(-infinite), test.at_least.value_or(-infinite));
    const double high = std::min(test.below.value_or(infinite), test.at_most.value_or(infinite));
    const bool open_end = test.above == low || test.below == high;
    if (low > high || (low == high && open_end)) {
        return test.path + " cannot lie between what is asked for";
    }
    const bool compares = test.above || test.below || test.at_least || test.at_most;
    if (test.measured == false && (compares || !test.one_of.empty())) {
        return test.path + " has to be something and not to be measured";
    }
    if (!test.one_of.empty() && is_within(test.one_of, test.is_not)) {
        return test.path + " may be nothing of what it has to be";
    }
    return std::nullopt;
}

// Of a condition on a check: what `could_tell` has to be, where that is sure.
std::optional<bool> tells(const Condition& condition) {
    if (condition.could_tell) return condition.could_tell;
    if (condition.status.empty()) return std::nullopt;
    const bool first = could_tell(condition.status.front());
    const bool all = std::ranges::all_of(
        condition.status, [&](report::Status one) { return could_tell(one) == first; });
    return all ? std::optional(first) : std::nullopt;
}

// Of two conditions on the same check.
bool exclude_each_other(const Condition& a, const Condition& b) {
    const auto a_tells = tells(a);
    const auto b_tells = tells(b);
    if (a_tells && b_tells && *a_tells != *b_tells) return true;
    if (a.status.empty() || b.status.empty()) return false;
    return std::ranges::none_of(a.status, [&](report::Status one) {
        return std::ranges::find(b.status, one) != b.status.end();
    });
}

bool is_excluded(const Condition& condition, const std::vector<Condition>& none) {
    return std::ranges::any_of(none,
                               [&](const Condition& other) { return implies(condition, other); });
}

std::string named(const Condition& condition) {
    return condition.code.empty() ? condition.check : condition.code;
}

bool implied_by_one(const Condition& wanted, const std::vector<Condition>& given) {
    return std::ranges::any_of(given, [&](const Condition& one) { return implies(one, wanted); });
}

// Whether one of `any` holds wherever `when` does.
bool meets_any(const std::vector<Condition>& any, const When& when) {
    if (any.empty()) return true;
    const auto meets = [&](const Condition& given) {
        return std::ranges::any_of(any,
                                   [&](const Condition& wanted) { return implies(given, wanted); });
    };
    return std::ranges::any_of(when.all, meets) ||
           (!when.any.empty() && std::ranges::all_of(when.any, meets));
}

bool implies(const When& when, const When& wanted) {
    const bool all = std::ranges::all_of(
        wanted.all, [&](const Condition& each) { return implied_by_one(each, when.all); });
    const bool none = std::ranges::all_of(
        wanted.none, [&](const Condition& each) { return is_excluded(each, when.none); });
    return all && none && meets_any(wanted.any, when);
}

bool lists(const Rule& explainer, std::string_view code) {
    return std::ranges::find(explainer.explains, code, &Condition::code) !=
           explainer.explains.end();
}

}  // namespace

std::optional<std::string> contradiction(const Condition& condition) {
    for (const Test& test : condition.tests) {
        if (auto why = contradiction(test)) return why;
    }
    const bool by_status = !condition.status.empty() && condition.could_tell;
    const bool any_fits = std::ranges::any_of(condition.status, [&](report::Status one) {
        return could_tell(one) == condition.could_tell;
    });
    if (by_status && !any_fits) return "none of these statuses goes with could_tell";
    return std::nullopt;
}

bool implies(const Condition& condition, const Condition& other) {
    if (condition.code != other.code) return false;
    if (other.check != condition.check && !(other.check.empty() && !other.code.empty())) {
        return false;
    }
    if (other.severity && (!condition.severity || *condition.severity < *other.severity)) {
        return false;
    }
    if (other.could_tell && tells(condition) != other.could_tell) return false;
    const bool some_status = !other.status.empty();
    if (some_status && condition.status.empty()) return false;
    const bool statuses = std::ranges::all_of(condition.status, [&](report::Status one) {
        return !some_status || std::ranges::find(other.status, one) != other.status.end();
    });
    return statuses && std::ranges::all_of(other.tests, [&](const Test& wanted) {
               return std::ranges::any_of(condition.tests,
                                          [&](const Test& given) { return same(given, wanted); });
           });
}

std::optional<std::string> contradiction(const When& when) {
    for (const auto* list : {&when.all, &when.any, &when.none}) {
        for (const Condition& each : *list) {
            if (auto why = contradiction(each)) return named(each) + ": " + *why;
        }
    }
    for (const Condition& each : when.all) {
        if (is_excluded(each, when.none)) return named(each) + " is in all and in none";
        for (const Condition& other : when.all) {
            const bool checks = each.code.empty() && other.code.empty();
            if (checks && each.check == other.check && exclude_each_other(each, other)) {
                return each.check + " cannot be both";
            }
        }
    }
    const bool none_left = std::ranges::all_of(
        when.any, [&](const Condition& each) { return is_excluded(each, when.none); });
    if (!when.any.empty() && none_left) return "all of any is in none";
    return std::nullopt;
}

bool always_explains(const Rule& explainer, const Rule& rule) {
    if (!lists(explainer, rule.id) || rule.when.empty()) return false;
    const bool needs_more = std::ranges::any_of(explainer.needs, [&](const Need& need) {
        return std::ranges::find(rule.needs, need.check, &Need::check) == rule.needs.end();
    });
    if (needs_more) return false;
    return std::ranges::all_of(rule.when, [&](const When& when) {
        return std::ranges::any_of(explainer.when, [&](const When& other) {
            return other.confidence > likely && implies(when, other);
        });
    });
}

bool may_explain(const Rule& explainer, const Rule& rule) {
    if (lists(explainer, rule.id)) return true;
    return std::ranges::any_of(rule.when, [&](const When& when) {
        const auto covered = [&](const Condition& each) {
            return each.code.empty() || lists(explainer, each.code);
        };
        const auto is_finding = [](const Condition& each) { return !each.code.empty(); };
        const bool any_finding = std::ranges::any_of(when.all, is_finding) || !when.any.empty();
        return any_finding && std::ranges::all_of(when.all, covered) &&
               (when.any.empty() || std::ranges::any_of(when.any, covered));
    });
}

}  // namespace p2pdiag::diagnosis
