#include "diagnosis/words.hpp"

#include <algorithm>
#include <cstdio>

#include "base/utf8.hpp"

namespace p2pdiag::diagnosis {

namespace {

constexpr std::size_t longest_value = 300;  // bytes
constexpr std::size_t most_listed_values = 6;

std::string shortened(std::string_view text) {
    if (text.size() <= longest_value) return std::string(text);
    std::size_t end = 0;
    while (end < longest_value) end += decode_utf8(text.substr(end)).size;
    return std::string(text.substr(0, end)) + "...";
}

std::optional<std::string> spelled_value(const json::value& value) {
    if (value.is_string()) return shortened(value.get_string());
    if (value.is_bool()) return value.get_bool() ? "yes" : "no";
    if (value.is_int64()) return std::to_string(value.get_int64());
    if (value.is_uint64()) return std::to_string(value.get_uint64());
    if (value.is_double()) {
        char text[32];
        std::snprintf(text, sizeof text, "%.6g", value.get_double());
        return text;
    }
    const json::array* elements = value.if_array();
    if (elements == nullptr || elements->empty()) return std::nullopt;
    std::string list;
    for (std::size_t i = 0; i < std::min(elements->size(), most_listed_values); ++i) {
        const json::value& one = (*elements)[i];
        const auto text = one.is_array() ? std::nullopt : spelled_value(one);
        if (!text) return std::nullopt;
        list += (list.empty() ? "" : ", ") + *text;
    }
    return elements->size() > most_listed_values ? list + ", ..." : list;
}

bool is_harmless_word(std::string_view text) {
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/-";
    return !text.empty() && text.front() != '-' && text.find_first_not_of(allowed) == text.npos &&
           text.size() <= longest_value;
}

Placeholder parse_placeholder(std::string_view inside) {
    const std::size_t bar = inside.find('|');
    if (bar == inside.npos) return {inside, {}};
    return {inside.substr(0, bar), inside.substr(bar + 1)};
}

// Calls `put` for each text and `fill` for each placeholder, until one says no.
template <class Put, class Fill>
bool walk(std::string_view text, Put put, Fill fill) {
    for (;;) {
        const std::size_t open = text.find_first_of("{}");
        put(text.substr(0, open));
        if (open == text.npos) return true;
        if (text[open] == '}') return false;
        const std::size_t close = text.find_first_of("{}", open + 1);
        if (close == text.npos || text[close] == '{' || close == open + 1) return false;
        if (!fill(parse_placeholder(text.substr(open + 1, close - open - 1)))) return false;
        text.remove_prefix(close + 1);
    }
}

}  // namespace

std::optional<std::vector<Placeholder>> placeholders(std::string_view text) {
    std::vector<Placeholder> out;
    const bool right = walk(
        text, [](std::string_view) {},
        [&](const Placeholder& one) {
            out.push_back(one);
            return true;
        });
    return right ? std::optional(std::move(out)) : std::nullopt;
}

const report::Finding* Words::finding(std::string_view code) const {
    const auto has_code = [&](const Found& found) { return found.finding->code == code; };
    const auto own = std::ranges::find_if(first_, has_code);
    if (own != first_.end()) return own->finding;
    const auto& all = facts_.findings(code);
    return all.empty() ? nullptr : all.front().finding;
}

std::optional<std::string> Words::value(const Placeholder& placeholder) const {
    if (placeholder.subject == "port" && placeholder.path.empty()) {
        if (facts_.port() == 0) return std::nullopt;
        return std::to_string(facts_.port());
    }
    const report::Finding* found = finding(placeholder.subject);
    if (placeholder.path.empty()) {
        if (found == nullptr) return std::nullopt;
        return shortened(found->message);
    }
    const json::object* values = found == nullptr ? nullptr : &found->evidence;
    if (values == nullptr) {
        const report::CheckResult* check = facts_.check(placeholder.subject);
        values = check == nullptr ? nullptr : check->data.if_object();
    }
    const json::value* value = values == nullptr ? nullptr : at_path(*values, placeholder.path);
    return value == nullptr ? std::nullopt : spelled_value(*value);
}

template <class Accept>
std::optional<std::string> Words::filled(std::string_view raw, Accept accept) const {
    std::string out;
    const bool complete = walk(
        raw, [&](std::string_view part) { out += part; },
        [&](const Placeholder& one) {
            const auto found = value(one);
            if (!found || !accept(*found)) return false;
            out += *found;
            return true;
        });
    return complete ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> Words::text(std::string_view raw) const {
    return filled(raw, [](std::string_view) { return true; });
}

std::optional<std::string> Words::command(std::string_view raw) const {
    return filled(raw, is_harmless_word);
}

}  // namespace p2pdiag::diagnosis
