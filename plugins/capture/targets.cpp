#include "targets.hpp"

#include "base/host_port.hpp"

namespace p2pdiag::capture_plugin {

namespace {

constexpr std::uint16_t dns = 53;
constexpr std::uint16_t http = 80;
constexpr std::uint16_t https = 443;
constexpr std::uint16_t ssdp = 1900;            // UPnP Device Architecture 1.1, section 1
constexpr std::uint16_t portmap_client = 5350;  // RFC 6886 section 3.2.1, RFC 6887 section 19.2
constexpr std::uint16_t portmap_server = 5351;
constexpr std::uint16_t stun_port = 3478;  // RFC 8489 section 14
constexpr std::uint16_t stun_tls = 5349;

bool is_web(std::uint16_t port) { return port == http || port == https; }

void add_server(Targets& targets, const HostPort& server) {
    if (!server.port) return;
    if (!is_web(*server.port)) {
        targets.ports.insert(*server.port);
    } else if (const auto address = IpAddress::parse(server.host)) {
        targets.endpoints.insert({*address, *server.port});
    } else {
        targets.handshakes.insert(*server.port);
    }
}

// "https://name[:port]/…", with the scheme's own port.
void add_url(Targets& targets, std::string_view scheme, std::string_view rest) {
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    auto server = parse_host_port(authority);
    if (!server) return;
    const bool tls = scheme == "https" || scheme == "wss";
    if (!server->port) server->port = tls ? https : http;
    add_server(targets, *server);
}

void add_text(Targets& targets, std::string_view text) {
    const std::size_t colon = text.find("://");
    if (colon != text.npos) return add_url(targets, text.substr(0, colon), text.substr(colon + 3));
    if (const auto address = IpAddress::parse(text)) {
        if (address->scope() != AddressScope::unspecified) targets.hosts.insert(*address);
        return;
    }
    if (const auto server = parse_host_port(text)) add_server(targets, *server);
}

void add_number(Targets& targets, std::string_view name, std::int64_t number) {
    if (!name.ends_with("port") || number < 1 || number > 65535) return;
    targets.ports.insert(static_cast<std::uint16_t>(number));
}

// Depth is bounded by the parser.
void add_all(Targets& targets, std::string_view name, const json::value& value) {
    if (value.is_string()) add_text(targets, value.get_string());
    if (value.is_int64()) add_number(targets, name, value.get_int64());
    if (const json::array* elements = value.if_array()) {
        for (const json::value& element : *elements) add_all(targets, name, element);
    }
    if (const json::object* members = value.if_object()) {
        for (const auto& member : *members) add_all(targets, member.key(), member.value());
    }
}

// Beside a server stands what it wants to be told, which is nobody's address.
void add_servers(Targets& targets, const json::object& servers) {
    if (const json::value* stun = json::find(servers, "stun")) add_all(targets, "stun", *stun);
    const json::object* turn = json::find_object(servers, "turn");
    const json::value* server = turn == nullptr ? nullptr : json::find(*turn, "server");
    if (server != nullptr) add_all(targets, "server", *server);
}

bool runs(const json::object& input, std::string_view plugin) {
    const json::array* ids = json::find_array(input, "checks");
    if (ids == nullptr) return false;
    const std::string prefix = std::string(plugin) + '.';
    for (const json::value& check : *ids) {
        if (check.is_string() && std::string_view(check.get_string()).starts_with(prefix)) {
            return true;
        }
    }
    return false;
}

class Alternatives {
public:
    void add(const std::string& expression) { text_ += (text_.empty() ? "" : " or ") + expression; }
    // Some of a list, so that the program stays small enough for the kernel.
    template <class List, class ToText>
    void add_each(const List& list, ToText to_text) {
        std::size_t left = max_targets;
        for (const auto& entry : list) {
            if (left-- == 0) break;
            add(to_text(entry));
        }
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

}  // namespace

Targets targets_of(const json::object& input, const std::vector<IpAddress>& gateways) {
    Targets targets;
    for (const char* name : {"target", "connection", "plugins"}) {
        if (const json::value* member = json::find(input, name)) add_all(targets, name, *member);
    }
    if (const json::object* servers = json::find_object(input, "servers"))
        add_servers(targets, *servers);
    targets.ports.insert({dns, stun_port, stun_tls});
    if (runs(input, "upnp")) {
        targets.ports.insert({ssdp, portmap_client, portmap_server});
        // UPnP speaks HTTP at whatever port the router likes.
        targets.hosts.insert(gateways.begin(), gateways.end());
    }
    return targets;
}

std::string filter_for(const Targets& targets) {
    Alternatives any;
    any.add_each(targets.ports, [](std::uint16_t port) { return "port " + std::to_string(port); });
    any.add_each(targets.hosts, [](const IpAddress& host) { return "host " + host.to_string(); });
    any.add_each(targets.endpoints, [](const Endpoint& endpoint) {
        return "(host " + endpoint.address.to_string() + " and port " +
               std::to_string(endpoint.port) + ")";
    });
    // RFC 9293 section 3.1: FIN, SYN and RST are the lowest bits of byte 13. libpcap's "tcp[…]" is
    // IPv4 only; behind the fixed header of IPv6 (RFC 8200 section 3, 40 bytes) that is byte 53.
    any.add_each(targets.handshakes, [](std::uint16_t port) {
        return "(tcp port " + std::to_string(port) +
               " and (tcp[13] & 7 != 0 or (ip6[6] = 6 and ip6[53] & 7 != 0)))";
    });
    any.add("icmp or icmp6");
    // RFC 8489 section 5: the magic cookie is the second word of the message.
    any.add("udp[12:4] = 0x2112a442 or (ip6[6] = 17 and ip6[52:4] = 0x2112a442)");
    // docs/adr/0011: p2pdiag's own magic, and its kinds but 7, the data of a chat, which is sealed
    // and may be a large file.
    any.add(
        "(udp[8:4] = 0x0e706469 and udp[13] != 7) or "
        "(ip6[6] = 17 and ip6[48:4] = 0x0e706469 and ip6[53] != 7)");
    // Later fragments have no ports. With IPv6 libpcap finds none behind any extension header
    // either: fragment, routing, destination options.
    any.add("ip[6:2] & 0x1fff != 0 or ip6[6] = 44 or ip6[6] = 43 or ip6[6] = 60");
    return any.text();
}

}  // namespace p2pdiag::capture_plugin
