#include <algorithm>

#include "base/host_port.hpp"
#include "base/text.hpp"
#include "servers.hpp"

namespace p2pdiag::stun_plugin {

ServerName parse_server(std::string_view text) {
    ServerName name;
    name.text = printable(text);
    // RFC 7064 section 3.1: "stun" / "stuns" ":" host [ ":" port ].
    bool tls_only = false;
    bool with_scheme = true;
    if (text.starts_with("stun:")) {
        text.remove_prefix(5);
    } else if (text.starts_with("stuns:")) {
        text.remove_prefix(6);
        tls_only = true;
    } else {
        with_scheme = false;
    }
    const auto parsed = parse_host_port(text);
    // A name alone could be "stun", the scheme without anything behind it.
    if (!parsed || (with_scheme && parsed->host.empty())) return name;
    name.host = parsed->host;
    if (tls_only) {
        name.tls_port = parsed->port.value_or(stun::default_tls_port);
    } else {
        name.port = parsed->port.value_or(stun::default_port);
        if (name.port == stun::default_port) name.tls_port = stun::default_tls_port;
    }
    return name;
}

json::object read_input(std::string_view input) {
    auto parsed = json::parse(input);
    return parsed && parsed->is_object() ? std::move(parsed->get_object()) : json::object();
}

json::array configured_servers(const json::object& input) {
    const json::object* servers = json::find_object(input, "servers");
    const json::array* stun = servers == nullptr ? nullptr : json::find_array(*servers, "stun");
    return stun == nullptr ? json::array() : *stun;
}

std::vector<ServerName> parse_servers(const json::array& configured) {
    std::vector<ServerName> names;
    for (const json::value& item : configured) {
        if (!item.is_string() || names.size() == max_servers) continue;
        const auto& text = item.get_string();
        ServerName name = parse_server({text.data(), text.size()});
        const bool known = std::any_of(names.begin(), names.end(), [&](const ServerName& other) {
            return other.text == name.text;
        });
        if (!known) names.push_back(std::move(name));
    }
    return names;
}

}  // namespace p2pdiag::stun_plugin
