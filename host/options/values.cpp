// Values of options, from text and from JSON.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "base/utf8.hpp"
#include "options/options.hpp"
#include "options/shown.hpp"

namespace p2pdiag::options {
namespace {

// Long enough for every deadline and lifetime here, short enough that nanoseconds fit 64 bits.
constexpr std::int64_t longest_duration_ms = std::int64_t{30} * 24 * 3600 * 1000;
constexpr std::size_t most_values = 1024;

struct Unit {
    std::string_view suffix;
    std::int64_t milliseconds;
};
constexpr Unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};

template <class Number>
bool read_whole(std::string_view text, Number& number) {
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stopped == end;
}

std::string number_text(double number) {
    std::array<char, 64> buffer;
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return {buffer.data(), written.ptr};
}

std::string bound_text(const Option& option, double bound) {
    if (option.type != Type::duration) return number_text(bound);
    return duration_text(static_cast<std::int64_t>(bound));
}

bool is_port(const Option& option) {
    return option.type == Type::integer && option.max == 65535 &&
           (option.name == "port" || option.name.ends_with("-port"));
}

// `shown` is the value as the person wrote it.
std::optional<Mismatch> out_of_range(const Option& option, double number,
                                     const std::string& shown) {
    const bool below = option.min && number < *option.min;
    const bool above = option.max && number > *option.max;
    if (!below && !above) return std::nullopt;
    if (option.min && option.max) {
        return Mismatch{shown + (is_port(option) ? " is not a port: " : " is not from ") +
                        bound_text(option, *option.min) + " to " + bound_text(option, *option.max)};
    }
    if (below) return Mismatch{shown + " is below " + bound_text(option, *option.min)};
    return Mismatch{shown + " is above " + bound_text(option, *option.max)};
}

std::string words_of(const HostPortProblem& problem) {
    using Kind = HostPortProblem::Kind;
    const std::string part = shown(problem.part);
    switch (problem.kind) {
        case Kind::no_host_name: return part + " is not a host name";
        case Kind::no_ipv4_address: return part + " is not an IPv4 address";
        case Kind::no_ipv6_address: return part + " is not an IPv6 address";
        case Kind::no_closing_bracket: return part + " has no closing bracket";
        case Kind::no_colon: return part + " has no port; write [address]:port";
        case Kind::many_colons:
            return part + " is not host:port; an IPv6 address goes in brackets: [address]:port";
        case Kind::no_port: break;
    }
    return part + " is not a port: 1 to 65535";
}

std::string article(Type type) {
    switch (type) {
        case Type::integer: return "an integer";
        case Type::number: return "a number";
        case Type::boolean: return "true or false";
        case Type::duration: return "a duration such as \"20s\"";
        case Type::endpoint: return "a string host:port";
        case Type::string:
        case Type::path:
        case Type::choice: break;
    }
    return "a string";
}

std::string kind_of(const json::value& value) {
    switch (value.kind()) {
        case boost::json::kind::null: return "null";
        case boost::json::kind::bool_: return "true or false";
        case boost::json::kind::int64:
        case boost::json::kind::uint64: return "an integer";
        case boost::json::kind::double_: return "a number with decimals";
        case boost::json::kind::string: return "a string";
        case boost::json::kind::array: return "an array";
        case boost::json::kind::object: break;
    }
    return "a table";
}

Checked<json::value> integer_from(const Option& option, std::int64_t number) {
    const auto wrong = out_of_range(option, static_cast<double>(number), std::to_string(number));
    if (wrong) return *wrong;
    return json::value(number);
}

Checked<json::value> number_from(const Option& option, double number) {
    if (!std::isfinite(number)) return Mismatch{"is not a finite number"};
    if (const auto wrong = out_of_range(option, number, number_text(number))) return *wrong;
    return json::value(number);
}

Checked<json::value> duration_from(const Option& option, std::string_view text) {
    const auto milliseconds = parse_duration(text);
    if (!milliseconds) return milliseconds.error();
    const auto wrong = out_of_range(option, static_cast<double>(*milliseconds), shown(text));
    if (wrong) return *wrong;
    return json::value(*milliseconds);
}

Checked<json::value> boolean_from(std::string_view text) {
    constexpr std::string_view yes[] = {"true", "yes", "on", "1"};
    constexpr std::string_view no[] = {"false", "no", "off", "0"};
    if (std::ranges::find(yes, text) != std::end(yes)) return json::value(true);
    if (std::ranges::find(no, text) != std::end(no)) return json::value(false);
    return Mismatch{shown(text) + " is not true or false"};
}

Checked<json::value> choice_from(const Option& option, std::string_view text) {
    if (std::ranges::find(option.choices, text) != option.choices.end()) {
        return json::value(text);
    }
    std::string why = shown(text) + " is not one of";
    const char* separator = " ";
    for (const std::string& choice : option.choices) {
        why += separator + choice;
        separator = ", ";
    }
    if (const auto near = nearest(text, option.choices)) why += "; did you mean " + *near + '?';
    return Mismatch{why};
}

Checked<json::value> one_from_value(const Option& option, const json::value& value) {
    if (value.is_string()) {
        const bool textual = option.type != Type::integer && option.type != Type::number &&
                             option.type != Type::boolean;
        const std::string_view text(value.get_string().data(), value.get_string().size());
        if (textual) return from_text(option, text);
    } else if (value.is_bool() && option.type == Type::boolean) {
        return value;
    } else if (value.is_number()) {
        const bool whole = !value.is_double();
        if (whole && !value.is_int64()) return Mismatch{"is too large a number"};
        if (whole && option.type == Type::integer) return integer_from(option, value.get_int64());
        if (whole && option.type == Type::duration) {
            return duration_from(option, std::to_string(value.get_int64()));
        }
        if (option.type == Type::number) {
            return number_from(option,
                               whole ? static_cast<double>(value.get_int64()) : value.get_double());
        }
    }
    return Mismatch{"must be " + article(option.type) + ", not " + kind_of(value)};
}

}  // namespace

std::string Option::profile_key() const {
    std::string key = name;
    std::ranges::replace(key, '-', '_');
    return key;
}

Checked<json::value> from_text(const Option& option, std::string_view text) {
    // A string is never repeated in a message: it may be a password.
    if (!is_utf8(text)) return Mismatch{"is not valid UTF-8"};
    if (text.find('\0') != text.npos) return Mismatch{"holds a NUL character"};
    switch (option.type) {
        case Type::integer: {
            std::int64_t number = 0;
            if (!read_whole(text, number)) return Mismatch{shown(text) + " is not an integer"};
            return integer_from(option, number);
        }
        case Type::number: {
            double number = 0;
            if (!read_whole(text, number)) return Mismatch{shown(text) + " is not a number"};
            return number_from(option, number);
        }
        case Type::boolean: return boolean_from(text);
        case Type::duration: return duration_from(option, text);
        case Type::endpoint:
            if (const auto read = read_endpoint(text); !read) return read.error();
            return json::value(text);
        case Type::path:
            if (text.empty()) return Mismatch{"is an empty path"};
            return json::value(text);
        case Type::choice: return choice_from(option, text);
        case Type::string: break;
    }
    return json::value(text);
}

Checked<json::value> from_value(const Option& option, const json::value& value) {
    if (!option.repeat) return one_from_value(option, value);
    const json::array* array = value.if_array();
    if (array == nullptr) {
        return Mismatch{"must be an array, not " + kind_of(value)};
    }
    if (array->size() > most_values) {
        return Mismatch{"holds " + std::to_string(array->size()) + " values; at most " +
                        std::to_string(most_values) + " are taken"};
    }
    json::array checked;
    for (const json::value& element : *array) {
        auto one = one_from_value(option, element);
        if (!one) {
            return Mismatch{"element " + std::to_string(checked.size() + 1) + ": " +
                            one.error().why};
        }
        checked.push_back(std::move(*one));
    }
    return json::value(std::move(checked));
}

std::string duration_text(std::int64_t milliseconds) {
    for (const Unit& unit : {units[3], units[2], units[1]}) {
        if (milliseconds != 0 && milliseconds % unit.milliseconds == 0) {
            return std::to_string(milliseconds / unit.milliseconds) + std::string(unit.suffix);
        }
    }
    return std::to_string(milliseconds) + "ms";
}

Checked<std::int64_t> parse_duration(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string_view suffix = text.substr(digits);
    const Unit* unit = std::ranges::find(units, suffix.empty() ? "ms" : suffix, &Unit::suffix);
    std::int64_t number = 0;
    if (digits == 0 || unit == std::end(units)) {
        return Mismatch{shown(text) + " is not a duration such as 250ms, 20s, 2m or 1h"};
    }
    if (!read_whole(text.substr(0, digits), number) ||
        number > longest_duration_ms / unit->milliseconds) {
        return Mismatch{shown(text) + " is longer than 30 days"};
    }
    return number * unit->milliseconds;
}

Checked<HostPort> read_endpoint(std::string_view text, std::optional<std::uint16_t> default_port) {
    auto parsed = parse_host_port(text);
    if (!parsed) return Mismatch{words_of(parsed.error())};
    const bool bracketed = text.starts_with('[');
    const bool bare_v6 = !bracketed && parsed->host.find(':') != parsed->host.npos;
    if (bare_v6) return Mismatch{words_of({HostPortProblem::Kind::many_colons, text})};
    if (!parsed->port && !default_port) {
        return Mismatch{shown(text) + " has no port; write " +
                        (bracketed ? "[address]:port" : "host:port")};
    }
    if (!parsed->port) parsed->port = default_port;
    return *std::move(parsed);
}

void throw_exception_from_error(const Mismatch& mismatch, const boost::source_location&) {
    throw std::logic_error("unchecked mismatch: " + mismatch.why);
}

}  // namespace p2pdiag::options
