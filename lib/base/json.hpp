// Boost.JSON with the limits that text from outside needs, and readers that never throw.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace p2pdiag::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// Deep enough for every document of ours, shallow enough to parse on a small stack.
inline constexpr std::size_t max_depth = 32;

// Strict RFC 8259: valid UTF-8, no comments, no trailing commas, nothing after the value.
Result<value> parse(std::string_view text);

std::string to_text(const value& value);         // one line
std::string to_pretty_text(const value& value);  // two-space indent, ends with a newline

value text_or_null(std::string_view text);  // null when it is empty

// A member, or nothing when it is absent, null or of another type.
const value* find(const object& object, std::string_view key);
std::optional<std::string_view> find_string(const object& object, std::string_view key);
std::optional<std::int64_t> find_integer(const object& object, std::string_view key);
std::optional<double> find_number(const object& object, std::string_view key);
std::optional<bool> find_bool(const object& object, std::string_view key);
const object* find_object(const object& object, std::string_view key);
const array* find_array(const object& object, std::string_view key);

}  // namespace p2pdiag::json
