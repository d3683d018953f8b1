#include "profile/sections.hpp"

namespace p2pdiag::profile {
namespace {

using options::Option;
using options::Type;

constexpr double day_ms = 24.0 * 3600 * 1000;

Option text(const char* name) {
    Option option;
    option.name = name;
    return option;
}

Option list(const char* name, json::array values = {}) {
    Option option = text(name);
    option.repeat = true;
    option.default_value = std::move(values);
    return option;
}

Option duration(const char* name, std::int64_t default_ms) {
    Option option = text(name);
    option.type = Type::duration;
    option.min = 1;
    option.max = day_ms;
    option.default_value = default_ms;
    return option;
}

Option port(const char* name, std::int64_t default_port) {
    Option option = text(name);
    option.type = Type::integer;
    option.min = 1;
    option.max = 65535;
    option.default_value = default_port;
    return option;
}

Option endpoint(const char* name) {
    Option option = text(name);
    option.type = Type::endpoint;
    return option;
}

Option flag(const char* name) {
    Option option = text(name);
    option.type = Type::boolean;
    option.default_value = false;
    return option;
}

Option choice(const char* name, std::vector<std::string> choices, const char* chosen) {
    Option option = text(name);
    option.type = Type::choice;
    option.choices = std::move(choices);
    option.default_value = chosen;
    return option;
}

}  // namespace

const std::vector<Section>& host_sections() {
    static const std::vector<Section> sections = {
        {"run",
         {list("checks"), list("skip"), flag("deep"), duration("deadline", 20'000),
          choice("fail-on", {"warn", "fail", "unknown"}, "fail")}},
        {"target", {port("port", 8000), endpoint("peer")}},
        {"servers", {list("stun", {"stun.l.google.com:19302", "stun.cloudflare.com:3478"})}},
        {"servers.turn",
         {text("server"), text("username"), text("password"), text("password-file")}},
        {"connection",
         {duration("timeout", 30'000), duration("keep-alive-interval", 25'000),
          port("signaling-port", 8080)}},
    };
    return sections;
}

}  // namespace p2pdiag::profile
