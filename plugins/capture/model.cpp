#include "model.hpp"

namespace p2pdiag::capture_plugin {

std::string_view to_string(Protocol protocol) {
    switch (protocol) {
        case Protocol::stun: return "STUN";
        case Protocol::turn: return "TURN";
        case Protocol::probe: return "probe";
        case Protocol::chat: return "chat";
        case Protocol::natpmp: return "NAT-PMP";
        case Protocol::pcp: return "PCP";
        case Protocol::ssdp: return "SSDP";
        case Protocol::soap: return "SOAP";
        case Protocol::http: return "HTTP";
        case Protocol::websocket: return "WebSocket";
        case Protocol::dns: return "DNS";
        case Protocol::mdns: return "mDNS";
        case Protocol::tls: return "TLS";
        case Protocol::dtls: return "DTLS";
        case Protocol::tcp: return "TCP";
        case Protocol::icmp: return "ICMP";
        case Protocol::data: break;
    }
    return "UDP";
}

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::request: return "request";
        case Kind::answer: return "answer";
        case Kind::error: return "error";
        case Kind::notice: break;
    }
    return "notice";
}

std::string_view to_string(Fate fate) {
    switch (fate) {
        case Fate::answered: return "answered";
        case Fate::unanswered: return "unanswered";
        case Fate::refused: return "refused";
        case Fate::open: return "open";
        case Fate::none: break;
    }
    return "none";
}

std::string_view to_string(Role role) {
    switch (role) {
        case Role::you: return "you";
        case Role::router: return "router";
        case Role::nat_outside: return "NAT outside";
        case Role::stun_server: return "STUN server";
        case Role::turn_server: return "TURN server";
        case Role::relay: return "relay";
        case Role::dns_server: return "DNS server";
        case Role::peer: return "peer";
        case Role::hop: return "hop";
        case Role::group: return "group";
        case Role::server: return "server";
        case Role::unknown: break;
    }
    return "";
}

}  // namespace p2pdiag::capture_plugin
