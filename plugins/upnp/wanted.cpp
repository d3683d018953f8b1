#include "wanted.hpp"

namespace p2pdiag::upnp_plugin {

std::optional<Wanted> Wanted::parse(const json::object& arguments) {
    Wanted wanted;
    const auto port = json::find_integer(arguments, "port");
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    wanted.port = static_cast<std::uint16_t>(*port);
    if (const auto external = json::find_integer(arguments, "external")) {
        if (*external < 1 || *external > 65535) return std::nullopt;
        wanted.external = static_cast<std::uint16_t>(*external);
    }
    const auto protocol = json::find_string(arguments, "protocol").value_or("udp");
    if (protocol == "both") {
        wanted.transports = {Transport::udp, Transport::tcp};
    } else if (const auto transport = parse_transport(protocol)) {
        wanted.transports = {*transport};
    } else {
        return std::nullopt;
    }
    if (const auto milliseconds = json::find_integer(arguments, "lease")) {
        if (*milliseconds < 1000) return std::nullopt;
        wanted.lease = portmap::Seconds(*milliseconds / 1000);
    }
    const auto via = json::find_string(arguments, "via").value_or("auto");
    if (via == "auto") return wanted;
    wanted.via = portmap::parse_protocol(via);
    if (!wanted.via) return std::nullopt;
    return wanted;
}

std::string duration_text(portmap::Seconds lease) {
    const auto seconds = lease.count();
    if (seconds == 0) return "for good";
    if (seconds % 3600 == 0) return "for " + std::to_string(seconds / 3600) + " h";
    if (seconds % 60 == 0) return "for " + std::to_string(seconds / 60) + " min";
    return "for " + std::to_string(seconds) + " s";
}

}  // namespace p2pdiag::upnp_plugin
