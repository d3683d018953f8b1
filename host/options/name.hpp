// How plugins may name what they bring.
#pragma once

#include <string_view>

namespace p2pdiag::options {

// Of a plugin, command or option: 1 to 64 of [a-z0-9-], and no '-' first, which would be an option.
bool is_name(std::string_view text);

// Of a check, change or recorder ("plugin.name") or a code ("area.name"): two names and a dot.
bool is_dotted_name(std::string_view text);

}  // namespace p2pdiag::options
