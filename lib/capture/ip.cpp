#include "capture/ip.hpp"

#include <algorithm>

#include "capture/network_order.hpp"

namespace p2pdiag::capture {

namespace {

// RFC 8200 section 4.1 names five that may come once each, one of them twice.
constexpr int max_extension_headers = 10;

constexpr std::uint8_t fragment_header = 44;        // RFC 8200 section 4.5
constexpr std::uint8_t authentication_header = 51;  // RFC 4302 section 2

std::optional<IpPacket> parse_ipv4(ByteView bytes) {
    constexpr std::size_t fixed_size = 20;
    if (bytes.size() < fixed_size) return std::nullopt;
    const std::size_t header_size = (bytes[0] & 0x0FU) * 4;
    if (header_size < fixed_size || header_size > bytes.size()) return std::nullopt;
    // A segmenting network card leaves the length at 0 for packets past 65 535 bytes.
    const std::size_t total = u16(bytes, 2) == 0 ? bytes.size() : u16(bytes, 2);
    if (total < header_size) return std::nullopt;

    IpPacket packet;
    packet.id = u16(bytes, 4);
    // RFC 791 section 3.1: flags "Bit 2: … 1 = More Fragments", offset "in units of 8 octets".
    const std::uint16_t fragment = u16(bytes, 6);
    packet.more_fragments = (fragment & 0x2000) != 0;
    packet.fragment_offset = static_cast<std::uint16_t>((fragment & 0x1FFF) * 8);
    packet.ttl = bytes[8];
    packet.protocol = bytes[9];
    packet.from = IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]});
    packet.to = IpAddress::v4({bytes[16], bytes[17], bytes[18], bytes[19]});
    packet.size = total - header_size;
    packet.payload = bytes.first(std::min(total, bytes.size())).subspan(header_size);
    return packet;
}

IpAddress address_v6(ByteView bytes) {
    std::array<std::uint8_t, 16> value{};
    std::copy_n(bytes.begin(), value.size(), value.begin());
    return IpAddress::v6(value);
}

// Extension headers whose second byte is their length beyond 8 bytes, in units of 8: RFC 8200
// section 4, RFC 6275, RFC 7401, RFC 5533.
bool has_common_form(std::uint8_t header) {
    constexpr std::uint8_t hop_by_hop = 0;
    constexpr std::uint8_t routing = 43;
    constexpr std::uint8_t destination_options = 60;
    constexpr std::uint8_t mobility = 135;
    constexpr std::uint8_t host_identity = 139;
    constexpr std::uint8_t shim6 = 140;
    return header == hop_by_hop || header == routing || header == destination_options ||
           header == mobility || header == host_identity || header == shim6;
}

std::optional<IpPacket> parse_ipv6(ByteView bytes) {
    constexpr std::size_t header_size = 40;
    if (bytes.size() < header_size) return std::nullopt;
    IpPacket packet;
    const std::size_t after = bytes.size() - header_size;
    // 0 with a jumbo payload (RFC 2675), and with what a segmenting network card is handed.
    const std::size_t size = u16(bytes, 4) == 0 ? after : u16(bytes, 4);
    packet.protocol = bytes[6];
    packet.ttl = bytes[7];
    packet.from = address_v6(bytes.subspan(8, 16));
    packet.to = address_v6(bytes.subspan(24, 16));
    packet.size = size;
    packet.payload = bytes.subspan(header_size, std::min(size, after));
    if (!skip_extensions(packet)) return std::nullopt;
    return packet;
}

std::optional<IpPacket> parse_one(ByteView bytes) {
    if (bytes.empty()) return std::nullopt;
    switch (bytes[0] >> 4) {
        case 4: return parse_ipv4(bytes);
        case 6: return parse_ipv6(bytes);
        default: return std::nullopt;
    }
}

}  // namespace

bool is_extension_header(std::uint8_t protocol) {
    return has_common_form(protocol) || protocol == fragment_header ||
           protocol == authentication_header;
}

bool skip_extensions(IpPacket& packet) {
    for (int count = 0; count <= max_extension_headers; ++count) {
        ByteView& rest = packet.payload;
        std::size_t size = 0;
        const bool fragment = packet.protocol == fragment_header;
        if (has_common_form(packet.protocol)) {
            if (rest.size() < 2) return false;
            size = (std::size_t{rest[1]} + 1) * 8;
        } else if (fragment) {
            size = 8;
            if (rest.size() < size) return false;
            const std::uint16_t offset = u16(rest, 2);
            packet.fragment_offset = static_cast<std::uint16_t>(offset & 0xFFF8);
            packet.more_fragments = (offset & 1) != 0;
            packet.id = u32(rest, 4);
        } else if (packet.protocol == authentication_header) {
            if (rest.size() < 2) return false;
            size = (std::size_t{rest[1]} + 2) * 4;
        } else {
            return true;
        }
        if (size > rest.size()) return false;
        packet.protocol = rest[0];
        rest = rest.subspan(size);
        packet.size -= size;
        // The rest belongs to all fragments together.
        if (fragment && packet.is_fragment()) return true;
    }
    return false;
}

std::optional<IpPacket> parse_ip(ByteView bytes) {
    const std::optional<IpPacket> outer = parse_one(bytes);
    const bool tunnel =
        outer && (outer->protocol == ip_protocol::ipv4 || outer->protocol == ip_protocol::ipv6);
    if (!tunnel || outer->is_fragment()) return outer;
    std::optional<IpPacket> inner = parse_one(outer->payload);
    return inner ? inner : outer;
}

}  // namespace p2pdiag::capture
