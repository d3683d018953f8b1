#include "capture/segment.hpp"

#include <algorithm>

#include "capture/ip.hpp"
#include "capture/network_order.hpp"
#include "wire/icmp/message.hpp"

namespace p2pdiag::capture {

namespace {

Carrier carrier_of(std::uint8_t protocol) {
    switch (protocol) {
        case ip_protocol::udp: return Carrier::udp;
        case ip_protocol::tcp: return Carrier::tcp;
        case ip_protocol::icmp:
        case ip_protocol::icmpv6: return Carrier::icmp;
        default: return Carrier::other;
    }
}

bool is_group_address(const IpAddress& address) {
    return address.scope() == AddressScope::multicast || address == IpAddress::v4(0xFFFFFFFF);
}

// RFC 768. False where the header is cut.
bool take_udp(ByteView bytes, Segment& segment) {
    constexpr std::size_t header_size = 8;
    if (bytes.size() < header_size) return false;
    segment.from.port = u16(bytes, 0);
    segment.to.port = u16(bytes, 2);
    const std::size_t size = u16(bytes, 4);
    // 0 stands for a jumbogram (RFC 2675); less than a header is none.
    if (size != 0 && size < header_size) return false;
    segment.payload = bytes.subspan(header_size);
    if (size != 0) {
        const std::size_t stated = size - header_size;
        segment.cut = segment.cut || stated > segment.payload.size();
        segment.payload = segment.payload.first(std::min(stated, segment.payload.size()));
    }
    return true;
}

bool take_tcp(ByteView bytes, Segment& segment) {
    constexpr std::size_t fixed_size = 20;
    if (bytes.size() < fixed_size) return false;
    segment.from.port = u16(bytes, 0);
    segment.to.port = u16(bytes, 2);
    segment.tcp.sequence = u32(bytes, 4);
    segment.tcp.acknowledged = u32(bytes, 8);
    const std::size_t header_size = (bytes[12] >> 4) * std::size_t{4};
    if (header_size < fixed_size) return false;
    const std::uint8_t flags = bytes[13];
    segment.tcp.fin = (flags & 0x01) != 0;
    segment.tcp.syn = (flags & 0x02) != 0;
    segment.tcp.rst = (flags & 0x04) != 0;
    segment.tcp.ack = (flags & 0x10) != 0;
    segment.payload = bytes.subspan(std::min(header_size, bytes.size()));
    return true;
}

// RFC 792: the message carries "Internet Header + 64 bits of Original Data Datagram" or more.
void take_icmp(ByteView bytes, bool v6, Segment& segment) {
    constexpr std::size_t header_size = 8;
    segment.payload = bytes;
    const Family family = v6 ? Family::ipv6 : Family::ipv4;
    if (bytes.size() < header_size || !icmp::is_error(family, bytes[0])) return;
    const std::optional<IpPacket> inner = parse_ip(bytes.subspan(header_size));
    if (!inner) return;
    IcmpError error;
    error.v6 = v6;
    error.type = bytes[0];
    error.code = bytes[1];
    error.carrier = carrier_of(inner->protocol);
    error.from.address = inner->from;
    error.to.address = inner->to;
    error.cut = inner->cut || inner->is_fragment();
    const bool has_ports = error.carrier == Carrier::udp || error.carrier == Carrier::tcp;
    if (has_ports && inner->fragment_offset == 0 && inner->payload.size() >= 4) {
        error.from.port = u16(inner->payload, 0);
        error.to.port = u16(inner->payload, 2);
        if (error.carrier == Carrier::udp && inner->payload.size() > 8) {
            error.payload = inner->payload.subspan(8);
        }
    }
    if (error.carrier == Carrier::icmp && inner->fragment_offset == 0) {
        error.payload = inner->payload;
    }
    segment.icmp = error;
}

}  // namespace

std::string_view to_string(Carrier carrier) {
    switch (carrier) {
        case Carrier::udp: return "udp";
        case Carrier::tcp: return "tcp";
        case Carrier::icmp: return "icmp";
        case Carrier::other: break;
    }
    return "other";
}

Skipped Dissector::dissect(const Packet& packet, Segment& segment) {
    const std::optional<LinkPayload> link = link_payload(packet);
    if (!link) return is_known(packet.link_type) ? Skipped::not_ip : Skipped::unknown_link;
    const std::optional<IpPacket> ip = parse_ip(link->ip);
    if (!ip) return Skipped::malformed;

    segment.carrier = carrier_of(ip->protocol);
    segment.from = {ip->from, 0};
    segment.to = {ip->to, 0};
    segment.direction = packet.direction == Direction::unknown ? link->direction : packet.direction;
    segment.to_group = link->to_group || is_group_address(ip->to);
    segment.ip_protocol = ip->protocol;
    segment.ttl = ip->ttl;
    segment.ip_id = ip->id;
    segment.payload = ip->payload;
    segment.cut = ip->cut || ip->is_fragment();
    segment.later_fragment = ip->fragment_offset != 0;
    segment.tcp = {};
    segment.icmp.reset();
    if (segment.later_fragment) {
        find_ports(segment);
        return Skipped::no;
    }
    switch (segment.carrier) {
        case Carrier::udp:
            if (!take_udp(ip->payload, segment)) return Skipped::malformed;
            break;
        case Carrier::tcp:
            if (!take_tcp(ip->payload, segment)) return Skipped::malformed;
            break;
        case Carrier::icmp:
            take_icmp(ip->payload, ip->protocol == ip_protocol::icmpv6, segment);
            break;
        case Carrier::other: break;
    }
    if (ip->more_fragments) remember(segment);
    return Skipped::no;
}

void Dissector::remember(const Segment& segment) {
    Fragmented& one = fragmented_[next_];
    next_ = (next_ + 1) % max_fragmented;
    one = {segment.from.address, segment.to.address, segment.ip_id, segment.ip_protocol,
           segment.from.port,    segment.to.port,    true};
}

void Dissector::find_ports(Segment& segment) {
    // The newest first: identifications are used again.
    for (std::size_t back = 1; back <= max_fragmented; ++back) {
        const Fragmented& one = fragmented_[(next_ + max_fragmented - back) % max_fragmented];
        if (!one.used) break;
        if (one.id == segment.ip_id && one.protocol == segment.ip_protocol &&
            one.from == segment.from.address && one.to == segment.to.address) {
            segment.from.port = one.from_port;
            segment.to.port = one.to_port;
            return;
        }
    }
    ++orphan_fragments_;
}

}  // namespace p2pdiag::capture
