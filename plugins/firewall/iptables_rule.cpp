#include "iptables_rule.hpp"

#include <charconv>

#include "literals.hpp"
#include "sets.hpp"

namespace p2pdiag::firewall::xtables {

void Conditions::require(Step step) {
    for (Steps& way : ways_) way.push_back(step);
}

void Conditions::require(Expression left, const std::vector<Interval>& right, bool negated) {
    SetBuilder builder(1);
    for (const Interval& interval : right) builder.add({&interval, 1});
    Match match;
    match.left.push_back(std::move(left));
    match.negated = negated;
    match.set = static_cast<std::uint32_t>(context_.ruleset.sets.size());
    context_.ruleset.sets.push_back(right.size() == 1 ? single(right[0]) : builder.finish());
    require(std::move(match));
}

void Conditions::require_bits(Expression left, Bits mask, bool negated) {
    Match match;
    match.left.push_back(std::move(left));
    match.how = negated ? Match::How::no_bit : Match::How::any_bit;
    match.mask = mask;
    require(std::move(match));
}

void Conditions::require_one_of(const std::vector<Conditions>& ways) {
    std::vector<Steps> product;
    for (const Steps& so_far : ways_) {
        for (const Conditions& condition : ways) {
            for (const Steps& further : condition.ways_) {
                if (product.size() == max_ways) {
                    require(Uncertain{{"a condition of too many parts", false}});
                    return;
                }
                product.push_back(so_far);
                product.back().insert(product.back().end(), further.begin(), further.end());
            }
        }
    }
    ways_ = std::move(product);
}

void require_tracked(Conditions& conditions, bool tracked) {
    conditions.require_bits({Ct::state, 32}, ct_invalid | ct_untracked, tracked);
}

std::optional<std::uint32_t> read_number(std::string_view text) {
    const int base = text.starts_with("0x") || text.starts_with("0X") ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    std::uint32_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
    return value;
}

std::optional<Masked> read_masked(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto value = read_number(text.substr(0, slash));
    if (!value) return std::nullopt;
    if (slash == std::string_view::npos) return Masked{*value};
    const auto mask = read_number(text.substr(slash + 1));
    if (!mask) return std::nullopt;
    return Masked{*value, *mask};
}

std::optional<Interval> read_range(std::string_view text, std::uint32_t most, char separator) {
    const std::size_t middle = text.find(separator);
    const std::string_view low_text = text.substr(0, middle);
    const std::string_view high_text =
        middle == std::string_view::npos ? low_text : text.substr(middle + 1);
    const bool open = middle != std::string_view::npos;
    const auto low = low_text.empty() && open ? std::uint32_t{0} : read_number(low_text);
    const auto high = high_text.empty() && open ? most : read_number(high_text);
    if (!low || !high || *low > *high || *high > most) return std::nullopt;
    return Interval{*low, *high};
}

std::vector<std::string_view> split_list(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

}  // namespace p2pdiag::firewall::xtables
