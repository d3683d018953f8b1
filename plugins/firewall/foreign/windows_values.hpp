// Values as ConvertTo-Json prints those of NetSecurity's objects: an enumeration as number or name,
// a list of one without brackets, or as {"value": […], "Count": n}.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "foreign/windows.hpp"

namespace p2pdiag::firewall::windows {

// What stands between commas, without the spaces around it.
std::vector<std::string_view> split(std::string_view text);

struct Choice {
    std::string_view name;
    int number;
};

// Letters of ASCII alone: what Windows compares without case here is of these.
bool same_text(std::string_view a, std::string_view b);

// The number of the choice. Nothing when it is none of them.
std::optional<int> read_choice(const json::value* value, std::initializer_list<Choice> choices);

// Whether it is the choice with the number `yes`.
std::optional<bool> read_flag(const json::value* value, std::initializer_list<Choice> choices,
                              int yes);

// The texts of a list; of a single value a list of one. Nothing when there are others in it.
std::optional<std::vector<std::string>> read_texts(const json::value* value);

Condition<PortRange> read_ports(const json::value* value);
Condition<AddressRange> read_addresses(const json::value* value);
// "Any" or "*", else the texts as they are. Nothing there means any.
Condition<std::string> read_names(const json::value* value);

}  // namespace p2pdiag::firewall::windows
