// What the host hands to a check, read without trusting its shape.
#pragma once

#include <p2pdiag/plugin.hpp>

#include <string>
#include <vector>

#include "base/json.hpp"

namespace p2pdiag::network_plugin {

json::object read_input(const Run& run);  // empty where it is no object

// The texts of an array of this plugin's own profile section.
std::vector<std::string> option_texts(const json::object& input, std::string_view key);
std::string option_text(const json::object& input, std::string_view key);  // or empty

}  // namespace p2pdiag::network_plugin
