#include "base/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace p2pdiag::json {

Result<value> parse(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = max_depth;
    ErrorCode error;
    value parsed = boost::json::parse({text.data(), text.size()}, error, {}, options);
    if (error) return error;
    return parsed;
}

std::string to_text(const value& value) { return boost::json::serialize(value); }

namespace {

void indent(std::string& out, unsigned depth) {
    out += '\n';
    out.append(2UL * depth, ' ');
}

void write(std::string& out, const value& item, unsigned depth) {
    if (item.is_object() && !item.get_object().empty()) {
        char separator = '{';
        for (const auto& [key, member] : item.get_object()) {
            out += separator;
            separator = ',';
            indent(out, depth + 1);
            out += boost::json::serialize(boost::json::string_view(key)) + ": ";
            write(out, member, depth + 1);
        }
        indent(out, depth);
        out += '}';
    } else if (item.is_array() && !item.get_array().empty()) {
        char separator = '[';
        for (const value& element : item.get_array()) {
            out += separator;
            separator = ',';
            indent(out, depth + 1);
            write(out, element, depth + 1);
        }
        indent(out, depth);
        out += ']';
    } else {
        out += boost::json::serialize(item);
    }
}

}  // namespace

std::string to_pretty_text(const value& item) {
    std::string out;
    write(out, item, 0);
    return out += '\n';
}

value text_or_null(std::string_view text) { return text.empty() ? value() : value(text); }

const value* find(const object& object, std::string_view key) {
    const value* member = object.if_contains({key.data(), key.size()});
    return member == nullptr || member->is_null() ? nullptr : member;
}

std::optional<std::string_view> find_string(const object& object, std::string_view key) {
    const value* member = find(object, key);
    if (member == nullptr || !member->is_string()) return std::nullopt;
    const auto& text = member->get_string();
    return std::string_view(text.data(), text.size());
}

std::optional<std::int64_t> find_integer(const object& object, std::string_view key) {
    const value* member = find(object, key);
    if (member == nullptr || !member->is_int64()) return std::nullopt;
    return member->get_int64();
}

std::optional<double> find_number(const object& object, std::string_view key) {
    const value* member = find(object, key);
    if (member == nullptr || !member->is_number()) return std::nullopt;
    return member->is_double() ? member->get_double()
                               : static_cast<double>(member->to_number<double>());
}

std::optional<bool> find_bool(const object& object, std::string_view key) {
    const value* member = find(object, key);
    if (member == nullptr || !member->is_bool()) return std::nullopt;
    return member->get_bool();
}

const object* find_object(const object& object, std::string_view key) {
    const value* member = find(object, key);
    return member == nullptr ? nullptr : member->if_object();
}

const array* find_array(const object& object, std::string_view key) {
    const value* member = find(object, key);
    return member == nullptr ? nullptr : member->if_array();
}

}  // namespace p2pdiag::json
