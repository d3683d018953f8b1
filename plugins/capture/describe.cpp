#include "describe.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "wire/upnp/soap.hpp"

namespace p2pdiag::capture_plugin {

namespace {

constexpr std::size_t max_text = 160;

std::string number(std::uint64_t value) { return std::to_string(value); }

Kind kind_of(stun::Class message_class) {
    switch (message_class) {
        case stun::Class::request: return Kind::request;
        case stun::Class::success: return Kind::answer;
        case stun::Class::error: return Kind::error;
        case stun::Class::indication: break;
    }
    return Kind::notice;
}

std::string hexadecimal(ByteView bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::string_view class_name(stun::Class message_class) {
    switch (message_class) {
        case stun::Class::request: return "request";
        case stun::Class::success: return "success";
        case stun::Class::error: return "error";
        case stun::Class::indication: break;
    }
    return "indication";
}

// RFC 8489 section 18.3, RFC 8656 section 19, RFC 8445 section 7.3.1.1; empty for others.
std::string_view stun_error_name(int code) {
    switch (code) {
        case 300: return "Try Alternate";
        case 400: return "Bad Request";
        case 401: return "Unauthenticated";
        case 403: return "Forbidden";
        case 420: return "Unknown Attribute";
        case 437: return "Allocation Mismatch";
        case 438: return "Stale Nonce";
        case 440: return "Address Family not Supported";
        case 441: return "Wrong Credentials";
        case 442: return "Unsupported Transport Protocol";
        case 486: return "Allocation Quota Reached";
        case 487: return "Role Conflict";
        case 500: return "Server Error";
        case 508: return "Insufficient Capacity";
        default: return "";
    }
}

// The server's own words, where it has any.
Denial denial_of(const stun::Message& message) {
    if (!message.error) return {0, "error without a code"};
    const int code = message.error->code;
    std::string name = printable(message.error->reason, 40);
    if (name.empty()) name = stun_error_name(code);
    return {code, std::move(name)};
}

std::string stun_subject(const stun::Message& message) {
    std::string subject{turn::method_name(message.method)};
    if (is_ice(message)) subject += " (ICE)";
    const auto change = message.change_request;
    if (change && (change->address || change->port)) subject += " from elsewhere";
    return subject;
}

std::string stun_details(const capture::StunContent& content) {
    const stun::Message& message = content.message;
    std::string text;
    if (message.error) {
        text += ' ' + number(static_cast<unsigned>(message.error->code));
        if (!message.error->reason.empty()) text += ' ' + printable(message.error->reason, 40);
    }
    if (message.change_request) {
        const auto [address, port] = *message.change_request;
        if (address || port) {
            text += ", from another ";
            text += address && port ? "address and port" : address ? "address" : "port";
        }
    }
    if (is_ice(message)) text += " (ICE)";
    if (content.turn.relayed) text += ", relayed " + content.turn.relayed->to_string();
    if (const auto mapped = message.reflexive_address()) text += ", mapped " + mapped->to_string();
    if (content.turn.channel) text += ", channel " + number(*content.turn.channel);
    if (content.turn.peer) text += ", peer " + content.turn.peer->to_string();
    if (content.turn.lifetime) text += ", " + number(*content.turn.lifetime) + " s";
    if (content.turn.data_size > 0) text += ", " + times(content.turn.data_size, "byte");
    if (message.is_classic()) text += " (RFC 3489)";
    if (content.partial) text += " (incomplete)";
    return text;
}

std::string_view transport_name(natpmp::Opcode opcode) {
    return opcode == natpmp::Opcode::map_udp ? "UDP" : "TCP";
}

std::string protocol_name(std::uint8_t protocol) {
    if (protocol == pcp::protocol_number(Transport::udp)) return "UDP";
    if (protocol == pcp::protocol_number(Transport::tcp)) return "TCP";
    return protocol == 0 ? "all protocols" : "protocol " + number(protocol);
}

std::string pcp_name(pcp::Opcode opcode) {
    switch (opcode) {
        case pcp::Opcode::announce: return "ANNOUNCE";
        case pcp::Opcode::map: return "MAP";
        case pcp::Opcode::peer: return "PEER";
    }
    return "opcode " + number(static_cast<unsigned>(opcode));
}

std::string dns_question(const dns::Message& message) {
    if (message.questions.empty()) return "no question";
    const dns::Question& first = message.questions.front();
    return dns::to_string(first.type) + ' ' + printable(first.name, 80);
}

std::string dns_answers(const dns::Message& message) {
    std::string text;
    std::size_t shown = 0;
    for (const dns::Record& record : message.answers) {
        if (!record.address) continue;
        if (++shown > 3) {
            text += ", ...";
            break;
        }
        text += (shown == 1 ? " = " : ", ") + record.address->to_string();
    }
    if (shown > 0) return text;
    return message.answers.empty() ? ": no records"
                                   : ": " + times(message.answers.size(), "record");
}

std::string soap_action(const capture::HttpContent& content) {
    std::string_view action = content.head.find("SOAPAction");
    const std::size_t hash = action.rfind('#');
    if (hash != std::string_view::npos) action.remove_prefix(hash + 1);
    while (!action.empty() && action.back() == '"') action.remove_suffix(1);
    return std::string(action);
}

Described describe_request(const capture::HttpContent& content) {
    const std::string action = soap_action(content);
    if (action.empty()) {
        const Protocol protocol =
            content.head.is_websocket_upgrade() ? Protocol::websocket : Protocol::http;
        Described described{protocol, Kind::request,
                            printable(content.head.method + ' ' + content.head.target, max_text)};
        described.subject = described.text;
        return described;
    }
    Described described{Protocol::soap, Kind::request, printable(action, max_text)};
    described.subject = described.text;
    const auto call = upnp::parse_call(content.body);
    if (!call) return described;
    for (const upnp::Argument& argument : call->arguments) {
        const bool matters = argument.name == "NewExternalPort" || argument.name == "NewProtocol" ||
                             argument.name == "NewInternalPort" ||
                             argument.name == "NewInternalClient";
        if (!matters) continue;
        described.text += ' ' + printable(argument.value, 40);
        // With another outer port it is still the same wish.
        if (argument.name == "NewExternalPort") continue;
        described.subject += ' ' + printable(argument.value, 40);
    }
    return described;
}

Described describe_response(const capture::HttpContent& content) {
    const http::Head& head = content.head;
    Described described{Protocol::http, head.status >= 400 ? Kind::error : Kind::answer,
                        std::to_string(head.status) + ' ' + printable(head.reason, 40)};
    if (described.kind == Kind::error) {
        described.refusal = Denial{head.status, printable(head.reason, 40)};
    }
    if (head.status == 101 && head.is_websocket_upgrade()) described.protocol = Protocol::websocket;
    if (content.body.find("Envelope") == std::string::npos) return described;
    described.protocol = Protocol::soap;
    // Which action it was is not needed to find a fault.
    const auto reply = upnp::parse_reply(content.body, "");
    if (reply && reply->fault) {
        described.kind = Kind::error;
        described.refusal = Denial{reply->fault->code, printable(reply->fault->description, 60)};
        described.text +=
            ", error " + std::to_string(reply->fault->code) + ' ' + described.refusal->name;
    }
    return described;
}

}  // namespace

bool is_ice(const stun::Message& message) {
    constexpr std::uint16_t priority = 0x0024;
    const bool request = message.method == stun::Method::binding &&
                         message.message_class == stun::Class::request && message.username;
    return request && std::ranges::any_of(message.others, [](const stun::RawAttribute& raw) {
               return raw.type == priority;
           });
}

Described describe(const capture::StunContent& content) {
    const stun::Message& message = content.message;
    Described described;
    described.protocol = turn::is_turn(message.method) ? Protocol::turn : Protocol::stun;
    described.kind = kind_of(message.message_class);
    described.text = turn::method_name(message.method);
    described.text += ' ';
    described.text += class_name(message.message_class);
    described.text += stun_details(content);
    described.transaction = hexadecimal(message.transaction);
    described.subject = stun_subject(message);
    described.credentials = message.has_integrity;
    if (described.kind == Kind::error) described.refusal = denial_of(message);
    return described;
}

Described describe(const turn::ChannelData& content) {
    return {Protocol::turn, Kind::notice, "ChannelData " + number(content.channel)};
}

Described describe(const capture::PeerContent& content) {
    using envelope::Kind;
    const envelope::Envelope& head = content.envelope;
    const bool probe = head.kind == Kind::ping || head.kind == Kind::pong;
    Described described{probe ? Protocol::probe : Protocol::chat, capture_plugin::Kind::notice,
                        std::string(to_string(head.kind))};
    if (!content.understood) {
        described.text = "version " + number(head.version) + ", which is not understood here";
        return described;
    }
    if (content.transaction) described.transaction = hexadecimal(*content.transaction);
    switch (head.kind) {
        case Kind::ping:
            described.kind = capture_plugin::Kind::request;
            if (envelope::size + head.length > probe::size) {
                described.text += " of " + times(envelope::size + head.length, "byte");
            }
            break;
        case Kind::pong:
            described.kind = capture_plugin::Kind::answer;
            if (content.observed) described.text += ", seen as " + content.observed->to_string();
            break;
        case Kind::init:
            described.kind = capture_plugin::Kind::request;
            if (content.has_cookie) described.text += " with cookie";
            break;
        case Kind::cookie:
        case Kind::response: described.kind = capture_plugin::Kind::answer; break;
        case Kind::unsupported:
            described.kind = capture_plugin::Kind::error;
            described.text = "refused: speaks version " + number(head.version);
            break;
        case Kind::finish:
        case Kind::data:
        case Kind::close: break;
    }
    if (content.partial) described.text += " (incomplete)";
    return described;
}

Described describe(const natpmp::Request& content) {
    Described described{Protocol::natpmp, Kind::request, "which is the outside address?"};
    if (content.opcode != natpmp::Opcode::external_address) {
        described.text = content.lifetime == 0 ? "unmap " : "map ";
        described.text += transport_name(content.opcode);
        described.text += ' ' + number(content.internal_port);
        described.subject = described.text;
        described.text +=
            " to " + number(content.external_port) + ", " + number(content.lifetime) + " s";
    } else {
        described.subject = "outside address";
    }
    return described;
}

Described describe(const natpmp::Response& content) {
    Described described{Protocol::natpmp, Kind::answer, ""};
    if (content.result != natpmp::ResultCode::success) {
        described.kind = Kind::error;
        described.text = natpmp::to_string(content.result);
        described.refusal = Denial{static_cast<int>(content.result), described.text};
    } else if (content.opcode == natpmp::Opcode::external_address) {
        described.text = "outside address " + content.external_address.to_string();
    } else {
        described.text = "mapped ";
        described.text += transport_name(content.opcode);
        described.text += ' ' + number(content.internal_port) + " to " +
                          number(content.external_port) + ", " + number(content.lifetime) + " s";
    }
    return described;
}

Described describe(const pcp::Request& content) {
    Described described{Protocol::pcp, Kind::request, pcp_name(content.opcode)};
    if (content.map) {
        described.text +=
            ' ' + protocol_name(content.map->protocol) + ' ' + number(content.map->internal_port);
        described.subject = described.text;
        described.text += ", " + number(content.lifetime) + " s";
    } else {
        described.subject = described.text;
    }
    return described;
}

Described describe(const pcp::Response& content) {
    Described described{Protocol::pcp, Kind::answer, pcp_name(content.opcode)};
    if (content.result != pcp::ResultCode::success) {
        described.kind = Kind::error;
        described.text += ' ';
        described.text += pcp::to_string(content.result);
        described.refusal =
            Denial{static_cast<int>(content.result), std::string(pcp::to_string(content.result))};
    } else if (content.map) {
        const Endpoint outside{content.map->external_address.unmapped(),
                               content.map->external_port};
        described.text += ' ' + protocol_name(content.map->protocol) + ' ' +
                          number(content.map->internal_port) + " to " + outside.to_string() + ", " +
                          number(content.lifetime) + " s";
    }
    return described;
}

Described describe(const ssdp::Search& content) {
    return {Protocol::ssdp, Kind::request, "search " + printable(content.target, max_text)};
}

Described describe(const ssdp::Announcement& content) {
    const Kind kind = content.kind == ssdp::Kind::answer ? Kind::answer : Kind::notice;
    std::string text = content.kind == ssdp::Kind::byebye ? "leaves: " : "here is ";
    return {Protocol::ssdp, kind, (text += printable(content.target, max_text))};
}

Described describe(const dns::Message& content) {
    Described described{Protocol::dns, Kind::request, dns_question(content)};
    described.subject = described.text;
    if (!content.response) return described;
    described.kind = content.code == dns::ResponseCode::no_error ? Kind::answer : Kind::error;
    if (described.kind == Kind::error) {
        described.text += ": ";
        described.text += dns::to_string(content.code);
        described.refusal =
            Denial{static_cast<int>(content.code), std::string(dns::to_string(content.code))};
    } else {
        described.text += dns_answers(content);
    }
    return described;
}

Described describe(const capture::DtlsContent& content) {
    const bool alert = content.content_type == static_cast<unsigned>(tls::ContentType::alert);
    const bool handshake =
        content.content_type == static_cast<unsigned>(tls::ContentType::handshake);
    return {Protocol::dtls, Kind::notice, alert ? "alert" : handshake ? "handshake" : "data"};
}

Described describe(const capture::Malformed& content) {
    return {Protocol::data, Kind::notice, "not valid " + std::string(content.protocol)};
}

Described describe(const capture::HttpContent& content) {
    return content.head.response ? describe_response(content) : describe_request(content);
}

Described describe(const tls::ClientHello& content) {
    std::string text = "ClientHello";
    if (!content.server_name.empty()) text += " for " + content.server_name;
    text += ", " + tls::version_name(content.version);
    for (const std::string& protocol : content.protocols) text += ", " + protocol;
    text = printable(text, max_text);
    return {.protocol = Protocol::tls, .kind = Kind::request, .text = text, .subject = text};
}

Described describe(const tls::ServerHello& content) {
    std::string text = content.retry ? "HelloRetryRequest, " : "ServerHello, ";
    return {Protocol::tls, Kind::answer, (text += tls::version_name(content.version))};
}

Described describe(const capture::TlsAlert& content) {
    // RFC 8446 section 6.1: close_notify is how a connection ends.
    const bool error = content.alert.fatal && content.alert.description != 0;
    Described described{Protocol::tls, error ? Kind::error : Kind::notice,
                        "alert " + content.alert.text()};
    if (error) described.refusal = Denial{content.alert.description, described.text};
    return described;
}

std::string icmp_text(const IcmpKind& kind) {
    switch (meaning(kind)) {
        case icmp::Meaning::prohibited: return "administratively prohibited";
        case icmp::Meaning::port_unreachable: return "port unreachable";
        case icmp::Meaning::host_unreachable: return "host unreachable";
        case icmp::Meaning::network_unreachable: return "network unreachable";
        case icmp::Meaning::too_big: return "too big, and may not be fragmented";
        case icmp::Meaning::time_exceeded: return "time to live exceeded";
        case icmp::Meaning::other: break;
    }
    return "error of type " + number(kind.type) + ", code " + number(kind.code);
}

icmp::Meaning meaning(const IcmpKind& kind) {
    return icmp::meaning(kind.v6 ? Family::ipv6 : Family::ipv4, kind.type, kind.code);
}

bool is_refusal(const IcmpKind& kind) {
    // RFC 792 and RFC 4443 section 3.1: destination unreachable. IPv4 says too big with it too.
    const std::uint8_t unreachable = kind.v6 ? 1 : 3;
    return kind.type == unreachable && meaning(kind) != icmp::Meaning::too_big;
}

}  // namespace p2pdiag::capture_plugin
