#include "diagnosis/match.hpp"

#include <algorithm>

namespace p2pdiag::diagnosis {

namespace {

std::optional<double> number_of(const json::value& value) {
    if (value.is_int64()) return static_cast<double>(value.get_int64());
    if (value.is_uint64()) return static_cast<double>(value.get_uint64());
    if (value.is_double()) return value.get_double();
    return std::nullopt;
}

bool equal(const json::value& left, const json::value& right) {
    const auto a = number_of(left);
    const auto b = number_of(right);
    if (a && b) return *a == *b;
    return left == right;
}

// "{port}" stands for the target port of the run.
bool equals_wanted(const json::value& value, const json::value& wanted, const Facts& facts) {
    if (wanted.is_string() && wanted.get_string() == "{port}") {
        return facts.port() != 0 && number_of(value) == static_cast<double>(facts.port());
    }
    return equal(value, wanted);
}

bool is_among(const json::value& value, const std::vector<json::value>& all, const Facts& facts) {
    return std::ranges::any_of(
        all, [&](const json::value& one) { return equals_wanted(value, one, facts); });
}

bool is_ranged(const Test& test) {
    return test.above || test.below || test.at_least || test.at_most;
}

bool is_in_range(const Test& test, const json::value& value) {
    const auto number = number_of(value);
    return number && (!test.above || *number > *test.above) &&
           (!test.below || *number < *test.below) &&
           (!test.at_least || *number >= *test.at_least) &&
           (!test.at_most || *number <= *test.at_most);
}

bool passes(const Test& test, const json::object& object, const Facts& facts) {
    const auto any = [](const json::value&) { return true; };
    const auto unwanted = [&](const json::value& one) { return is_among(one, test.is_not, facts); };
    const auto wanted = [&](const json::value& one) {
        return (test.one_of.empty() || is_among(one, test.one_of, facts)) &&
               (!is_ranged(test) || is_in_range(test, one));
    };
    if (test.measured && *test.measured != any_at(object, test.path, any)) return false;
    if (!test.is_not.empty() && any_at(object, test.path, unwanted)) return false;
    const bool asks_more = !test.one_of.empty() || is_ranged(test);
    return !asks_more || any_at(object, test.path, wanted);
}

bool all_pass(const std::vector<Test>& tests, const json::object& object, const Facts& facts) {
    return std::ranges::all_of(tests,
                               [&](const Test& test) { return passes(test, object, facts); });
}

bool fits(const Condition& condition, const Found& found, const Facts& facts) {
    const report::Finding& finding = *found.finding;
    if (condition.severity && finding.severity < *condition.severity) return false;
    const bool wanted_check =
        condition.check.empty() || (found.check != nullptr && found.check->id == condition.check);
    if (!wanted_check) return false;
    return all_pass(condition.tests, finding.evidence, facts);
}

Match match_findings(const Condition& condition, const Facts& facts) {
    Match out;
    bool sure = false;
    for (const Found& found : facts.findings(condition.code)) {
        if (!fits(condition, found, facts)) continue;
        out.findings.push_back(found);
        sure = sure || could_tell(found);
    }
    out.holds = !out.findings.empty();
    if (out.holds && !sure) {
        out.certain = false;
        for (const Found& found : out.findings) out.doubtful.push_back(found.check->id);
    } else if (!out.holds && !condition.check.empty() && !facts.could_tell(condition.check)) {
        out.certain = false;
        out.doubtful.push_back(condition.check);
    }
    return out;
}

Match match_check(const Condition& condition, const Facts& facts) {
    static const json::object nothing;
    const report::CheckResult* check = facts.check(condition.check);
    const bool told = facts.could_tell(condition.check);
    Match out;
    out.certain = told;
    if (!told) out.doubtful.push_back(condition.check);
    if (condition.could_tell && *condition.could_tell != told) return out;
    const auto& wanted = condition.status;
    const bool any_status =
        wanted.empty() ||
        (check != nullptr && std::ranges::find(wanted, check->status) != wanted.end());
    if (!any_status) return out;
    if (check == nullptr && !condition.could_tell) return out;
    const json::object* data = check == nullptr ? nullptr : check->data.if_object();
    out.holds = all_pass(condition.tests, data == nullptr ? nothing : *data, facts);
    return out;
}

void join(Match& into, Match&& part) {
    into.certain = into.certain && part.certain;
    into.findings.insert(into.findings.end(), part.findings.begin(), part.findings.end());
    into.doubtful.insert(into.doubtful.end(), part.doubtful.begin(), part.doubtful.end());
}

// One is enough, and one that is certain makes it certain.
Match match_any(const std::vector<Condition>& conditions, const Facts& facts) {
    Match sure;
    Match doubtful;
    doubtful.certain = false;
    for (const Condition& condition : conditions) {
        Match one = match(condition, facts);
        if (!one.holds) continue;
        Match& into = one.certain ? sure : doubtful;
        into.holds = true;
        join(into, std::move(one));
    }
    return sure.holds ? sure : doubtful;
}

}  // namespace

Match match(const Condition& condition, const Facts& facts) {
    return condition.code.empty() ? match_check(condition, facts)
                                  : match_findings(condition, facts);
}

Match match(const When& when, const Facts& facts) {
    Match out;
    for (const Condition& condition : when.all) {
        Match one = match(condition, facts);
        if (!one.holds) return {};
        join(out, std::move(one));
    }
    if (!when.any.empty()) {
        Match one = match_any(when.any, facts);
        if (!one.holds) return {};
        join(out, std::move(one));
    }
    for (const Condition& condition : when.none) {
        Match one = match(condition, facts);
        if (one.holds) return {};
        join(out, std::move(one));
    }
    out.holds = true;
    return out;
}

bool is_offered(const RemedyRule& remedy, const Facts& facts) {
    const auto holds = [&](const Condition& condition) { return match(condition, facts).holds; };
    return std::ranges::all_of(remedy.all, holds) &&
           (remedy.any.empty() || std::ranges::any_of(remedy.any, holds)) &&
           std::ranges::none_of(remedy.none, holds);
}

}  // namespace p2pdiag::diagnosis
