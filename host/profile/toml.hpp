// TOML text as a tree in which every value knows where it stands. The parser itself is seen by
// toml.cpp alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "profile/profile.hpp"

namespace p2pdiag::profile {

struct TomlEntry;

struct TomlValue {
    enum class Kind { scalar, array, table };

    Kind kind = Kind::scalar;
    unsigned line = 0;    // from 1
    unsigned column = 0;  // from 1, in characters
    json::value scalar;   // string, integer, number or boolean; null for a date or time
    std::vector<TomlValue> elements;
    std::vector<TomlEntry> entries;  // sorted by key
};

struct TomlEntry {
    std::string key;
    unsigned line = 0;
    unsigned column = 0;
    TomlValue value;
};

// A larger file is no profile.
inline constexpr std::size_t largest_profile = std::size_t{1} << 20;

// The whole file as a table. `file` is only for the problem's text.
boost::system::result<TomlValue, Problem> parse_toml(std::string_view text,
                                                     const std::string& file);

// The line of this number, from 1, without its line break; empty where there is none.
std::string_view line_of(std::string_view text, unsigned number);

[[noreturn]] void throw_exception_from_error(const Problem& problem,
                                             const boost::source_location& where);

}  // namespace p2pdiag::profile
