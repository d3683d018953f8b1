#include "capture/content.hpp"

#include <algorithm>

#include "capture/network_order.hpp"
#include "wire/peer/chat.hpp"

namespace p2pdiag::capture {

namespace {

bool has_port(const Segment& segment, std::uint16_t port) {
    return segment.from.port == port || segment.to.port == port;
}

// RFC 8489 section 5, figure 2: two zero bits, the cookie at byte 4.
bool has_cookie(ByteView bytes) {
    return bytes.size() >= 8 && (bytes[0] & 0xC0) == 0 && u32(bytes, 4) == stun::magic_cookie;
}

// RFC 3489 section 11.1: Binding and Shared Secret, requests, responses and error responses.
bool is_classic_type(ByteView bytes) {
    const unsigned type = static_cast<unsigned>(bytes[0]) << 8 | bytes[1];
    return type == 0x0001 || type == 0x0101 || type == 0x0111 || type == 0x0002 || type == 0x0102 ||
           type == 0x0112;
}

bool may_be_classic(ByteView bytes) {
    return bytes.size() >= stun::header_size && is_classic_type(bytes) &&
           stun::looks_like_stun(bytes);
}

bool is_stun_port(const Segment& segment) {
    // RFC 3489 and RFC 5389: 3478; the second port of a server that tells NATs is commonly the
    // next.
    return has_port(segment, stun::default_port) || has_port(segment, stun::default_port + 1);
}

bool is_port_control(const Segment& segment) {
    return has_port(segment, natpmp::server_port) || segment.to.port == natpmp::client_port;
}

bool is_dns(const Segment& segment) {
    return has_port(segment, dns::port) || has_port(segment, dns::multicast_port);
}

// RFC 9147 section 4, RFC 6347 section 4.1: content type 20 to 26, version 0xFEFF or 0xFEFD.
bool is_dtls(ByteView bytes) {
    return bytes.size() >= 13 && bytes[0] >= 20 && bytes[0] <= 26 && bytes[1] == 0xFE &&
           (bytes[2] == 0xFF || bytes[2] == 0xFD);
}

// The part of a cut message that is whole, with a length field that fits it.
Bytes whole_attributes(ByteView bytes) {
    std::size_t end = stun::header_size;
    while (bytes.size() - end >= 4) {
        const std::size_t size = static_cast<std::size_t>(bytes[end + 2]) << 8 | bytes[end + 3];
        const std::size_t next = end + 4 + ((size + 3) & ~std::size_t{3});
        if (next > bytes.size()) break;
        end = next;
    }
    Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(end));
    const std::size_t length = end - stun::header_size;
    part[2] = static_cast<std::uint8_t>(length >> 8);
    part[3] = static_cast<std::uint8_t>(length);
    return part;
}

std::optional<StunContent> to_content(Result<stun::Message> message, bool partial) {
    if (!message) return std::nullopt;
    StunContent content;
    content.turn = turn::attributes_of(*message);
    content.message = std::move(*message);
    content.partial = partial;
    return content;
}

// The header, and as many attributes as can be read.
std::optional<StunContent> partial_stun(ByteView bytes) {
    Bytes part = whole_attributes(bytes);
    if (auto content = to_content(stun::parse(part), true)) return content;
    // One of them is broken: the header alone.
    part.resize(stun::header_size);
    part[2] = part[3] = 0;
    return to_content(stun::parse(part), true);
}

template <class Message>
Content or_malformed(Result<Message> message, std::string_view protocol) {
    if (!message) return Malformed{protocol};
    return std::move(*message);
}

// RFC 6887 section 9: the first byte is the version, 0 for NAT-PMP and 2 for PCP; the top bit of
// the second tells responses.
Content port_control(ByteView bytes) {
    if (bytes.size() < 2) return Malformed{"NAT-PMP"};
    const bool response = (bytes[1] & 0x80) != 0;
    if (bytes[0] == natpmp::version) {
        if (response) return or_malformed(natpmp::parse_response(bytes), "NAT-PMP");
        return or_malformed(natpmp::parse_request(bytes), "NAT-PMP");
    }
    if (response) return or_malformed(pcp::parse_response(bytes), "PCP");
    return or_malformed(pcp::parse_request(bytes), "PCP");
}

Content simple_service_discovery(ByteView bytes, bool sure) {
    if (auto search = ssdp::parse_search(bytes)) return std::move(*search);
    if (auto announcement = ssdp::parse_announcement(bytes)) return std::move(*announcement);
    return sure ? Content(Malformed{"SSDP"}) : Content();
}

bool is_probe(envelope::Kind kind) {
    return kind == envelope::Kind::ping || kind == envelope::Kind::pong;
}

// What stands at fixed places, of a message whose end is not there.
std::optional<PeerContent> cut_peer(PeerContent content, ByteView bytes) {
    const std::size_t whole = envelope::size + content.envelope.length;
    if (bytes.size() > whole) return std::nullopt;
    content.partial = true;
    ByteReader reader(bytes.subspan(envelope::size));
    if (is_probe(content.envelope.kind)) {
        if (whole < probe::size || whole > probe::max_size) return std::nullopt;
        probe::TransactionId transaction{};
        const ByteView id = reader.take(transaction.size());
        if (!reader.ok()) return content;
        std::ranges::copy(id, transaction.begin());
        content.transaction = transaction;
    } else if (content.envelope.kind == envelope::Kind::init) {
        if (whole != chat::init_size) return std::nullopt;
        content.has_cookie = !envelope::all_zero(reader.take(sizeof(chat::Cookie)));
    }
    return content;
}

std::optional<PeerContent> whole_peer(PeerContent content, ByteView bytes) {
    if (is_probe(content.envelope.kind)) {
        const auto probe = probe::parse(bytes);
        if (!probe) return std::nullopt;
        content.transaction = probe->transaction;
        content.observed = probe->observed;
        return content;
    }
    const auto message = chat::parse(bytes);
    if (!message) return std::nullopt;
    const auto* init = std::get_if<chat::Init>(&message->body);
    content.has_cookie = init != nullptr && init->cookie;
    return content;
}

// UDA 1.1 section 1.3.3: an answer comes from whatever port the device likes.
bool is_http_over_udp(ByteView bytes) { return as_text(bytes).starts_with("HTTP/1."); }

}  // namespace

std::optional<StunContent> decode_stun(ByteView bytes, bool cut, bool expected) {
    if (bytes.size() < stun::header_size) return std::nullopt;
    if (has_cookie(bytes)) {
        const std::size_t length = static_cast<std::size_t>(bytes[2]) << 8 | bytes[3];
        if (length % 4 != 0) return std::nullopt;
        const std::size_t size = stun::header_size + length;
        // Over UDP a message fills its datagram.
        if (!cut && size != bytes.size()) return std::nullopt;
        if (size == bytes.size()) {
            if (auto content = to_content(stun::parse(bytes), false)) return content;
        }
        return partial_stun(bytes);
    }
    if (cut || !may_be_classic(bytes)) return std::nullopt;
    // A request without attributes is four fixed bytes and sixteen random ones.
    if (bytes.size() == stun::header_size && !expected) return std::nullopt;
    auto content = to_content(stun::parse(bytes), false);
    // Nor does anything that is newer than the cookie stand beside its absence.
    const bool newer = content && (content->message.fingerprint != stun::Seen::absent ||
                                   !content->message.others.empty());
    if (newer && !expected) return std::nullopt;
    return content;
}

std::optional<PeerContent> decode_peer(ByteView bytes, bool cut) {
    const auto head = envelope::parse(bytes);
    if (!head) return std::nullopt;
    PeerContent content;
    content.envelope = *head;
    const bool refusal = head->kind == envelope::Kind::unsupported;
    content.understood = refusal != (head->version == envelope::version);
    if (content.understood) return cut ? cut_peer(content, bytes) : whole_peer(content, bytes);
    // Of another version its length is all that is known; and nobody who speaks ours says that he
    // does not.
    if (refusal || (!cut && bytes.size() != envelope::size + head->length)) return std::nullopt;
    return content;
}

bool may_have_content(const Segment& segment, const Acquaintance& known) {
    const ByteView bytes = segment.payload;
    if (has_cookie(bytes) || envelope::looks_like_ours(bytes)) return true;
    if (is_port_control(segment) || is_dns(segment) || has_port(segment, ssdp::port)) return true;
    return known.turn || may_be_classic(bytes) || is_dtls(bytes) || is_http_over_udp(bytes);
}

Content decode(const Segment& segment, const Acquaintance& known) {
    const ByteView bytes = segment.payload;
    const bool expected = known.stun || is_stun_port(segment);
    if (const auto content = decode_peer(bytes, segment.cut)) return *content;
    if (auto content = decode_stun(bytes, segment.cut, expected)) return std::move(*content);
    if (known.turn && !segment.cut) {
        if (const auto channel = turn::parse_channel_data(bytes)) return *channel;
    }
    if (bytes.empty()) return {};
    if (is_port_control(segment) && !segment.cut) return port_control(bytes);
    const bool on_ssdp_port = has_port(segment, ssdp::port);
    if (on_ssdp_port || is_http_over_udp(bytes)) {
        return simple_service_discovery(bytes, on_ssdp_port);
    }
    if (is_dns(segment)) return or_malformed(dns::parse(bytes), "DNS");
    if (is_dtls(bytes)) return DtlsContent{bytes[0]};
    return {};
}

}  // namespace p2pdiag::capture
