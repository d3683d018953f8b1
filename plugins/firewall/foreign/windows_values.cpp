#include "foreign/windows_values.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "literals.hpp"

namespace p2pdiag::firewall::windows {

namespace {

constexpr std::size_t most_values = 20'000;  // in one condition; Windows allows some thousand

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_any(std::string_view text) { return text == "*" || same_text(text, "Any"); }

bool is_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
    }) && std::isalpha(static_cast<unsigned char>(text.front())) != 0;
}

std::optional<PortRange> read_port(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto low = number_of<std::uint16_t>(text.substr(0, dash));
    const auto high =
        dash == std::string_view::npos ? low : number_of<std::uint16_t>(text.substr(dash + 1));
    if (!low || !high || *low > *high) return std::nullopt;
    return PortRange{*low, *high};
}

// "255.255.255.0" as 24.
std::optional<unsigned> prefix_of_mask(const IpAddress& mask) {
    const std::uint32_t bits = mask.v4_bits();
    unsigned prefix = 0;
    while (prefix < 32 && (bits >> (31 - prefix) & 1) != 0) ++prefix;
    return prefix < 32 && bits << prefix != 0 ? std::nullopt : std::optional(prefix);
}

std::optional<unsigned> read_prefix(std::string_view text, unsigned width) {
    if (width == 32 && text.find('.') != std::string_view::npos) {
        const auto mask = IpAddress::parse(text);
        return mask && mask->is_v4() ? prefix_of_mask(*mask) : std::nullopt;
    }
    const auto prefix = number_of<unsigned>(text);
    return prefix && *prefix <= width ? prefix : std::nullopt;
}

// "10.0.0.1", "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.1-10.0.0.9", and the same of IPv6.
std::optional<AddressRange> read_address(std::string_view text) {
    const std::size_t end = std::min(text.find_first_of("/-"), text.size());
    const auto first = IpAddress::parse(text.substr(0, end));
    if (!first) return std::nullopt;
    AddressRange range{first->family(), to_bits(*first), to_bits(*first)};
    if (end == text.size()) return range;
    const std::string_view rest = text.substr(end + 1);
    if (text[end] == '-') {
        const auto last = IpAddress::parse(rest);
        if (!last || last->family() != range.family) return std::nullopt;
        range.high = to_bits(*last);
        return range.low <= range.high ? std::optional(range) : std::nullopt;
    }
    const unsigned width = first->is_v4() ? 32 : 128;
    const auto prefix = read_prefix(rest, width);
    const auto interval = prefix ? prefix_interval(range.low, *prefix, width) : std::nullopt;
    if (!interval) return std::nullopt;
    return AddressRange{range.family, interval->low, interval->high};
}

template <class T, class Read>
Condition<T> read_condition(const json::value* value, Read read) {
    Condition<T> condition;
    const auto texts = read_texts(value);
    if (!texts || texts->empty()) return condition;
    condition.known = true;
    for (const std::string& text : *texts) {
        // Scripts that write one text for all separate with commas.
        for (const std::string_view one : split(text)) {
            if (is_any(one)) {
                condition.any = true;
            } else if (const auto found = read(one)) {
                condition.values.push_back(*found);
            } else {
                (is_word(one) ? condition.words : condition.unread).emplace_back(one);
            }
        }
    }
    return condition;
}

const json::value* unwrapped(const json::value* value) {
    const json::object* object = value == nullptr ? nullptr : value->if_object();
    return object == nullptr ? value : json::find(*object, "value");
}

}  // namespace

bool same_text(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) ==
               std::tolower(static_cast<unsigned char>(y));
    });
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        parts.push_back(trimmed(text.substr(begin, end - begin)));
        begin = end + 1;
    }
    return parts;
}

std::optional<int> read_choice(const json::value* value, std::initializer_list<Choice> choices) {
    value = unwrapped(value);
    if (value == nullptr) return std::nullopt;
    std::string text;
    if (value->is_string()) {
        text.assign(value->get_string().data(), value->get_string().size());
    } else if (value->is_bool()) {
        text = value->get_bool() ? "True" : "False";
    } else if (value->is_int64()) {
        text = std::to_string(value->get_int64());
    }
    for (const Choice& choice : choices) {
        if (same_text(trimmed(text), choice.name) || text == std::to_string(choice.number)) {
            return choice.number;
        }
    }
    return std::nullopt;
}

std::optional<bool> read_flag(const json::value* value, std::initializer_list<Choice> choices,
                              int yes) {
    const auto number = read_choice(value, choices);
    return number ? std::optional(*number == yes) : std::nullopt;
}

std::optional<std::vector<std::string>> read_texts(const json::value* value) {
    value = unwrapped(value);
    if (value == nullptr) return std::nullopt;
    std::vector<std::string> texts;
    const auto add = [&](const json::value& one) {
        if (const auto* text = one.if_string()) {
            texts.emplace_back(text->data(), text->size());
        } else if (one.is_int64()) {
            texts.push_back(std::to_string(one.get_int64()));
        } else {
            return false;
        }
        return texts.size() <= most_values;
    };
    if (const json::array* list = value->if_array()) {
        if (!std::all_of(list->begin(), list->end(), add)) return std::nullopt;
    } else if (!add(*value)) {
        return std::nullopt;
    }
    return texts;
}

Condition<PortRange> read_ports(const json::value* value) {
    return read_condition<PortRange>(value, read_port);
}

Condition<AddressRange> read_addresses(const json::value* value) {
    return read_condition<AddressRange>(value, read_address);
}

Condition<std::string> read_names(const json::value* value) {
    Condition<std::string> condition;
    const auto texts = read_texts(value);
    // Something is there and is no text.
    if (value != nullptr && !texts) return condition;
    condition.known = true;
    condition.any = !texts || texts->empty();
    for (const std::string& text : texts.value_or(std::vector<std::string>{})) {
        if (is_any(text) || text.empty())
            condition.any = true;
        else
            condition.values.push_back(text);
    }
    return condition;
}

}  // namespace p2pdiag::firewall::windows
