// One message in a line: what it is, and what in it matters.
#pragma once

#include "capture/stream.hpp"
#include "evidence.hpp"
#include "wire/icmp/message.hpp"

namespace p2pdiag::capture_plugin {

struct Described {
    Protocol protocol = Protocol::data;
    Kind kind = Kind::notice;
    std::string text;
    // As in Message.
    std::string transaction = {};
    std::string subject = {};
    bool credentials = false;
    std::optional<Denial> refusal = std::nullopt;
};

// RFC 8445 section 7.1.1: a connectivity check is a Binding request with PRIORITY. Servers may ask
// for USERNAME and MESSAGE-INTEGRITY too, so these tell nothing.
bool is_ice(const stun::Message& message);

Described describe(const capture::StunContent& content);
Described describe(const turn::ChannelData& content);
Described describe(const capture::PeerContent& content);
Described describe(const natpmp::Request& content);
Described describe(const natpmp::Response& content);
Described describe(const pcp::Request& content);
Described describe(const pcp::Response& content);
Described describe(const ssdp::Search& content);
Described describe(const ssdp::Announcement& content);
Described describe(const dns::Message& content);
Described describe(const capture::DtlsContent& content);
Described describe(const capture::Malformed& content);
Described describe(const capture::HttpContent& content);
Described describe(const tls::ClientHello& content);
Described describe(const tls::ServerHello& content);
Described describe(const capture::TlsAlert& content);

// "port unreachable", "administratively prohibited", …
std::string icmp_text(const IcmpKind& kind);
icmp::Meaning meaning(const IcmpKind& kind);
// The packet will not get there, now or again. Anything else is a notice: too big belongs to the
// discovery of the path's MTU, time exceeded to traceroute.
bool is_refusal(const IcmpKind& kind);

}  // namespace p2pdiag::capture_plugin
