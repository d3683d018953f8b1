// Comparisons: the "match" of nft's JSON.
#include "nft_expressions.hpp"
#include "nft_text.hpp"
#include "sets.hpp"

namespace p2pdiag::firewall::nft {

namespace {

std::uint32_t add_set(Set set, Context& context) {
    context.ruleset.sets.push_back(std::move(set));
    return static_cast<std::uint32_t>(context.ruleset.sets.size() - 1);
}

// Without a set on the right: a value, an interval, a comparison by order.
bool read_simple(const json::value& right, std::string_view op, Match& match, Typed& left,
                 Context& context) {
    if (auto* fib = std::get_if<Fib>(&left.expression.form); fib != nullptr && right.is_bool()) {
        fib->result = Fib::Result::exists;
        left = {{*fib, 1}, {Type::boolean, 1}};
    }
    const auto value = read_literal(right, left.type);
    if (!value) return false;
    const Bits most = low_mask(left.type.width);
    Interval interval = *value;
    if (op == "==" || op == "!=") {
        match.negated = op == "!=";
    } else if (interval.low != interval.high) {
        return false;
    } else if (op == "<") {
        // Nothing is below 0: everything, negated.
        match.negated = interval.low == 0;
        interval = interval.low == 0 ? Interval{0, most} : Interval{0, interval.low - 1};
    } else if (op == "<=") {
        interval = {0, interval.low};
    } else if (op == ">") {
        match.negated = interval.low == most;
        interval = interval.low == most ? Interval{0, most} : Interval{interval.low + 1, most};
    } else if (op == ">=") {
        interval = {interval.low, most};
    } else {
        return false;
    }
    match.set = add_set(single(interval), context);
    return true;
}

bool is_flags(Type type) {
    return type == Type::ct_state || type == Type::ct_status || type == Type::tcp_flags;
}

bool is_set(const json::value& right) {
    const json::object* object = right.if_object();
    return view(right).starts_with('@') ||
           (object != nullptr && json::find(*object, "set") != nullptr);
}

bool read_set_match(const json::value& right, std::string_view op, Match& match,
                    std::vector<Typed>& parts, Context& context) {
    if (op != "==" && op != "!=" && op != "in") return false;
    std::vector<TypeInfo> types;
    for (Typed& part : parts) {
        types.push_back(part.type);
        match.left.push_back(std::move(part.expression));
    }
    match.negated = op == "!=";
    match.set = read_set_reference(right, types, context);
    return match.set != no_index && context.ruleset.sets[match.set].parts == match.left.size();
}

bool read_comparison(const json::value& right, std::string_view op, Match& match, Typed& left,
                     Context& context) {
    // `ct state new,established` means any of them, `ct state ! new` none.
    if (is_flags(left.type.type) && (op == "in" || op == "!")) {
        const auto mask = read_exact(right, left.type);
        if (!mask) return false;
        match.how = op == "!" ? Match::How::no_bit : Match::How::any_bit;
        match.mask = *mask;
    } else if (!read_simple(right, op, match, left, context)) {
        return false;
    }
    match.left.push_back(std::move(left.expression));
    return true;
}

// The right side is not understood, the left one is: that the packet must have the field still
// holds.
Step unread_match(Match& match, std::vector<Typed>& parts, const json::value& whole,
                  Context& context) {
    constexpr std::size_t most_parts = 16;
    Match unread;
    unread.left = std::move(match.left);
    if (unread.left.empty()) {
        for (Typed& part : parts) unread.left.push_back(std::move(part.expression));
    }
    if (unread.left.empty() || unread.left.size() > most_parts) return uncertain(whole, false);
    Set set;
    set.name = text_of_statement(whole);
    set.parts = unread.left.size();
    set.has_unread = true;
    unread.set = add_set(std::move(set), context);
    return unread;
}

}  // namespace

Step read_match(const json::object& body, const json::value& whole, Context& context) {
    const auto op = json::find_string(body, "op");
    const json::value* left = json::find(body, "left");
    const json::value* right = json::find(body, "right");
    if (!op || left == nullptr || right == nullptr || body.size() != 3)
        return uncertain(whole, false);
    std::vector<Typed> parts = read_parts(*left, context);
    bool known = true;
    bool circumstantial = true;
    std::optional<std::uint8_t> protocol;
    for (const Typed& part : parts) {
        const auto* what = std::get_if<Unknowable>(&part.expression.form);
        known = known && what == nullptr;
        circumstantial = circumstantial && (what == nullptr || what->circumstantial);
        if (what != nullptr && what->protocol) protocol = what->protocol;
    }
    if (!known) {
        Uncertain step = uncertain(whole, circumstantial);
        step.why.protocol = protocol;
        return step;
    }
    Match match;
    const bool read = is_set(*right) ? read_set_match(*right, *op, match, parts, context)
                                     : parts.size() == 1 &&
                                           read_comparison(*right, *op, match, parts[0], context);
    return read ? Step(std::move(match)) : unread_match(match, parts, whole, context);
}

}  // namespace p2pdiag::firewall::nft
