// The profile reader over arbitrary bytes: it may refuse them, with messages that are safe to show
// and say where, and what it takes must be of the types it promises.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "profile/layers.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_harmless(std::string_view text) {
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        require(next.valid && !is_unsafe_to_show(next.code));
        text.remove_prefix(next.size);
    }
}

profile::PluginOptions plugin_options() {
    profile::PluginOptions all;
    for (const options::Type type :
         {options::Type::string, options::Type::integer, options::Type::number,
          options::Type::boolean, options::Type::duration, options::Type::endpoint,
          options::Type::path, options::Type::choice}) {
        options::Option option;
        option.type = type;
        option.name = std::string("option-") + static_cast<char>('a' + static_cast<int>(type));
        if (type == options::Type::choice) option.choices = {"one", "two"};
        all["stun"].push_back(option);
        option.name += "-list";
        option.repeat = true;
        all["stun"].push_back(option);
    }
    return all;
}

void check_sections(const profile::Layers& layers) {
    const json::object& target = layers.sections.at("target");
    const auto port = json::find_integer(target, "port");
    require(port && *port >= 1 && *port <= 65535);
    const json::array* stun = json::find_array(layers.sections.at("servers"), "stun");
    require(stun != nullptr && stun->size() <= 16);
    for (const json::value& server : *stun) require(server.is_string());
    const auto deadline = json::find_integer(layers.sections.at("run"), "deadline");
    require(deadline && *deadline >= 1 && *deadline <= 24 * 3600 * 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const profile::PluginOptions known = plugin_options();
    const std::string_view text(reinterpret_cast<const char*>(data), size);

    profile::Layers layers = profile::built_in(known);
    profile::put_file(layers, known, text, "file");
    profile::put_environment(layers, [&](const std::string&) { return std::string(text); });
    for (const profile::Problem& problem : layers.problems) {
        require(!problem.message.empty());
        require_harmless(problem.to_string());
    }
    for (const std::string& note : layers.notes) require_harmless(note);
    check_sections(layers);
    return 0;
}
