#include "capture/link.hpp"

namespace p2pdiag::capture {

namespace {

// IEEE 802 numbers, as in https://www.iana.org/assignments/ieee-802-numbers.
namespace ether_type {
constexpr std::uint16_t ipv4 = 0x0800;
constexpr std::uint16_t ipv6 = 0x86DD;
constexpr std::uint16_t vlan = 0x8100;          // IEEE 802.1Q
constexpr std::uint16_t service_vlan = 0x88A8;  // IEEE 802.1ad, QinQ
constexpr std::uint16_t old_vlan = 0x9100;      // QinQ before it had a number
constexpr std::uint16_t pppoe_session = 0x8864;
}  // namespace ether_type

// RFC 2516 section 4: version and type, code, session, length; then the PPP protocol (RFC 1661).
constexpr std::size_t pppoe_header_size = 6;
constexpr std::uint16_t ppp_ipv4 = 0x0021;
constexpr std::uint16_t ppp_ipv6 = 0x0057;

constexpr int max_vlan_tags = 4;

// What follows a type field of Ethernet.
std::optional<ByteView> after_ether_type(std::uint16_t type, ByteView rest) {
    for (int tags = 0; tags <= max_vlan_tags; ++tags) {
        ByteReader reader(rest);
        switch (type) {
            case ether_type::ipv4:
            case ether_type::ipv6: return rest;
            case ether_type::vlan:
            case ether_type::service_vlan:
            case ether_type::old_vlan:
                reader.u16();
                type = reader.u16();
                if (!reader.ok()) return std::nullopt;
                rest = rest.subspan(4);
                break;
            case ether_type::pppoe_session: {
                reader.take(pppoe_header_size);
                const std::uint16_t protocol = reader.u16();
                if (protocol != ppp_ipv4 && protocol != ppp_ipv6) return std::nullopt;
                return rest.subspan(pppoe_header_size + 2);
            }
            default: return std::nullopt;
        }
    }
    return std::nullopt;
}

std::optional<LinkPayload> ethernet(ByteView data) {
    constexpr std::size_t addresses_size = 12;
    ByteReader reader(data);
    reader.take(addresses_size);
    const std::uint16_t type = reader.u16();
    if (!reader.ok()) return std::nullopt;
    const auto ip = after_ether_type(type, data.subspan(addresses_size + 2));
    if (!ip) return std::nullopt;
    // IEEE 802: the first bit on the wire of a destination tells groups.
    return LinkPayload{*ip, Direction::unknown, (data[0] & 1) != 0};
}

// LINUX_SLL: "packet type … 0 to us, … 4 sent by us"; broadcast, multicast and what was sent by
// others to others lie between.
Direction direction_of(unsigned packet_type) {
    if (packet_type == 4) return Direction::outbound;
    return packet_type <= 2 ? Direction::inbound : Direction::unknown;
}

bool is_to_group(unsigned packet_type) { return packet_type == 1 || packet_type == 2; }

std::optional<LinkPayload> linux_sll(ByteView data) {
    ByteReader reader(data);
    const std::uint16_t packet_type = reader.u16();
    reader.take(12);  // ARPHRD type, address length, address
    const std::uint16_t protocol = reader.u16();
    if (!reader.ok()) return std::nullopt;
    const auto ip = after_ether_type(protocol, reader.take(reader.remaining()));
    if (!ip) return std::nullopt;
    return LinkPayload{*ip, direction_of(packet_type), is_to_group(packet_type)};
}

std::optional<LinkPayload> linux_sll2(ByteView data) {
    ByteReader reader(data);
    const std::uint16_t protocol = reader.u16();
    reader.take(8);  // reserved, interface index, ARPHRD type
    const std::uint8_t packet_type = reader.u8();
    reader.take(9);  // address length, address
    if (!reader.ok()) return std::nullopt;
    const auto ip = after_ether_type(protocol, reader.take(reader.remaining()));
    if (!ip) return std::nullopt;
    return LinkPayload{*ip, direction_of(packet_type), is_to_group(packet_type)};
}

// The four bytes before it say AF_INET or one of the many numbers of AF_INET6, in the byte order of
// some machine. The version in the IP header says as much, without guessing.
std::optional<LinkPayload> loopback(ByteView data) {
    if (data.size() < 4) return std::nullopt;
    return LinkPayload{data.subspan(4)};
}

}  // namespace

bool is_known(LinkType type) {
    switch (type) {
        case LinkType::null:
        case LinkType::ethernet:
        case LinkType::raw_dlt:
        case LinkType::raw_openbsd:
        case LinkType::raw:
        case LinkType::loop:
        case LinkType::linux_sll:
        case LinkType::ipv4:
        case LinkType::ipv6:
        case LinkType::linux_sll2: return true;
    }
    return false;
}

std::optional<LinkPayload> link_payload(const Packet& packet) {
    switch (packet.link_type) {
        case LinkType::ethernet: return ethernet(packet.data);
        case LinkType::linux_sll: return linux_sll(packet.data);
        case LinkType::linux_sll2: return linux_sll2(packet.data);
        case LinkType::null:
        case LinkType::loop: return loopback(packet.data);
        case LinkType::raw_dlt:
        case LinkType::raw_openbsd:
        case LinkType::raw:
        case LinkType::ipv4:
        case LinkType::ipv6: return LinkPayload{packet.data};
    }
    return std::nullopt;
}

}  // namespace p2pdiag::capture
