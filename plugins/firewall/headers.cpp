#include "headers.hpp"

#include <array>

namespace p2pdiag::firewall {

namespace {

// TCP's flags as literals.cpp names them; ECE and CWR of a SYN depend on the sender (RFC 3168).
constexpr std::uint8_t tcp_syn = 2;
constexpr std::uint8_t tcp_psh = 8;
constexpr std::uint8_t tcp_ack = 16;
constexpr std::uint8_t tcp_ecn = 0xC0;

constexpr std::size_t ipv4_header = 20;
constexpr std::size_t ipv6_header = 40;

struct Header {
    std::array<std::uint8_t, 40> value{};
    std::array<std::uint8_t, 40> unknown{};
    std::size_t size = 0;  // bytes that are there in any case

    void put(std::size_t offset, std::size_t length, Known known) {
        for (std::size_t i = length; i-- > 0; known.value >>= 8, known.unknown >>= 8) {
            value[offset + i] = static_cast<std::uint8_t>(known.value);
            unknown[offset + i] = static_cast<std::uint8_t>(known.unknown);
        }
    }
    void put_unknown(std::size_t offset, std::size_t length) {
        for (std::size_t i = 0; i < length; ++i) unknown[offset + i] = 0xFF;
    }
};

Header ipv4(const Packet& packet, const State& state) {
    Header header;
    header.size = ipv4_header;
    header.put(0, 1, {0x45, 0});
    header.put_unknown(1, 1);
    header.put(2, 2, Known::of(packet.length, 16));
    header.put_unknown(4, 2);
    header.put(6, 2, {0, 0x4000});  // whole, whether or not it may be fragmented
    header.put(8, 1, Known::of(packet.ttl, 8));
    header.put(9, 1, {packet.protocol, 0});
    header.put_unknown(10, 2);
    header.put(12, 4, state.source);
    header.put(16, 4, state.destination);
    if (state.header_written) {
        header.put_unknown(1, 8);
        header.put_unknown(10, 2);
    }
    return header;
}

Header ipv6(const Packet& packet, const State& state) {
    Header header;
    header.size = ipv6_header;
    header.put(0, 4, {Bits{6} << 28, 0x0FFFFFFF});
    std::optional<std::uint16_t> length;
    if (packet.length && *packet.length >= ipv6_header) {
        length = static_cast<std::uint16_t>(*packet.length - ipv6_header);
    }
    header.put(4, 2, Known::of(length, 16));
    header.put(6, 1, {packet.protocol, 0});
    header.put(7, 1, Known::of(packet.ttl, 8));
    header.put(8, 16, state.source);
    header.put(24, 16, state.destination);
    if (state.header_written) {
        header.put_unknown(0, 6);
        header.put_unknown(7, 1);
    }
    return header;
}

Known tcp_flags_of(Part part) {
    switch (part) {
        case Part::opening: return {tcp_syn, tcp_ecn};
        case Part::answer: return {tcp_syn | tcp_ack, tcp_ecn};
        case Part::later: break;
    }
    return {tcp_ack, tcp_ecn | tcp_psh};
}

Header transport(const Packet& packet, const State& state) {
    Header header;
    if (packet.protocol == protocol_icmp || packet.protocol == protocol_icmpv6) {
        header.size = 8;
        header.put_unknown(0, 8);
        header.put(0, 1, Known::of(packet.icmp_type, 8));
        if (packet.is_neighbour_discovery()) header.put(1, 1, {0, 0});
        return header;
    }
    if (packet.protocol != protocol_udp && packet.protocol != protocol_tcp) return header;
    const bool tcp = packet.protocol == protocol_tcp;
    header.size = tcp ? 20 : 8;
    header.put_unknown(0, header.size);
    header.put(0, 2, state.source_port);
    header.put(2, 2, state.destination_port);
    const bool told =
        packet.part || packet.state == CtState::fresh || packet.state == CtState::established;
    if (tcp && told) header.put(13, 1, tcp_flags_of(packet.part_in_flow()));
    if (state.header_written) header.put_unknown(4, header.size - 4);
    return header;
}

Known extract(const Header& header, std::uint32_t offset, std::uint32_t length) {
    Known known;
    if (offset % 8 == 0 && length % 8 == 0) {
        for (std::uint32_t i = offset / 8; i < (offset + length) / 8; ++i) {
            known.value = known.value << 8 | header.value[i];
            known.unknown = known.unknown << 8 | header.unknown[i];
        }
        known.value &= ~known.unknown;
        return known;
    }
    for (std::uint32_t bit = offset; bit < offset + length; ++bit) {
        const unsigned shift = 7 - bit % 8;
        known.value = known.value << 1 | (header.value[bit / 8] >> shift & 1U);
        known.unknown = known.unknown << 1 | (header.unknown[bit / 8] >> shift & 1U);
    }
    known.value &= ~known.unknown;
    return known;
}

struct Span {
    std::uint32_t offset;
    std::uint32_t length;
    const char* name;
};

bool overlaps(const Payload& payload, const Span& span) {
    return payload.offset < span.offset + span.length &&
           span.offset < payload.offset + payload.length;
}

// What tells packets apart, by header.
std::array<Span, 3> identity(const Packet& packet, Base base) {
    if (base == Base::transport) {
        return {{{0, 16, "the sender's port"}, {16, 16, "the port"}, {0, 0, ""}}};
    }
    if (packet.family() == Family::ipv4) {
        return {
            {{72, 8, "the protocol"}, {96, 32, "the sender's address"}, {128, 32, "the address"}}};
    }
    return {
        {{48, 8, "the protocol"}, {64, 128, "the sender's address"}, {192, 128, "the address"}}};
}

}  // namespace

Bitfield read_header(const Packet& packet, const State& state, const Payload& payload) {
    Header header;
    if (payload.base == Base::network) {
        header = packet.family() == Family::ipv4 ? ipv4(packet, state) : ipv6(packet, state);
    } else if (payload.base == Base::transport) {
        header = transport(packet, state);
    }
    const std::uint64_t end = std::uint64_t{payload.offset} + payload.length;
    if (end > header.size * 8) return {Known::nothing(payload.length), true};
    return {extract(header, payload.offset, payload.length), false};
}

std::string describe(const Packet& packet, const Payload& payload) {
    if (payload.base == Base::link) return "the link-layer header";
    for (const Span& span : identity(packet, payload.base)) {
        if (overlaps(payload, span)) return span.name;
    }
    return payload.base == Base::network ? "a field of the IP header"
                                         : "a field of the transport header";
}

bool is_identity(const Packet& packet, const Payload& payload) {
    if (payload.base == Base::link) return false;
    for (const Span& span : identity(packet, payload.base)) {
        if (overlaps(payload, span)) return true;
    }
    return false;
}

}  // namespace p2pdiag::firewall
