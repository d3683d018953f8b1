#include "input.hpp"

namespace p2pdiag::network_plugin {

json::object read_input(const Run& run) {
    auto parsed = json::parse(run.input());
    if (!parsed || !parsed->is_object()) return {};
    return std::move(parsed->get_object());
}

std::vector<std::string> option_texts(const json::object& input, std::string_view key) {
    std::vector<std::string> result;
    const json::object* options = json::find_object(input, "options");
    const json::array* values = options == nullptr ? nullptr : json::find_array(*options, key);
    if (values == nullptr) return result;
    for (const json::value& value : *values) {
        if (value.is_string()) result.emplace_back(std::string_view(value.get_string()));
    }
    return result;
}

std::string option_text(const json::object& input, std::string_view key) {
    const json::object* options = json::find_object(input, "options");
    if (options == nullptr) return {};
    return std::string(json::find_string(*options, key).value_or(""));
}

}  // namespace p2pdiag::network_plugin
