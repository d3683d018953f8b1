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
    std::optional<IpPacket> inner = parse_ip(bytes.subspan(header_size));
    if (!inner) return;
    const bool later_fragment = inner->fragment_offset != 0;
    const bool cut = inner->cut() || inner->is_fragment();
    if (!later_fragment && !skip_extensions(*inner)) return;
    IcmpError error;
    error.v6 = v6;
    error.type = bytes[0];
    error.code = bytes[1];
    error.carrier = carrier_of(inner->protocol);
    error.from.address = inner->from;
    error.to.address = inner->to;
    error.cut = cut;
    const bool has_ports = error.carrier == Carrier::udp || error.carrier == Carrier::tcp;
    if (has_ports && !later_fragment && inner->payload.size() >= 4) {
        error.from.port = u16(inner->payload, 0);
        error.to.port = u16(inner->payload, 2);
        if (error.carrier == Carrier::udp && inner->payload.size() > 8) {
            error.payload = inner->payload.subspan(8);
        }
    }
    if (error.carrier == Carrier::icmp && !later_fragment) {
        error.payload = inner->payload;
    }
    segment.icmp = error;
}

// What the IP header says, and the payload as it is.
void describe_ip(const IpPacket& ip, const Arrival& arrival, Segment& segment) {
    segment.carrier = carrier_of(ip.protocol);
    segment.from = {ip.from, 0};
    segment.to = {ip.to, 0};
    segment.direction = arrival.direction;
    segment.to_group = arrival.to_group;
    segment.ip_protocol = ip.protocol;
    segment.ttl = ip.ttl;
    segment.ip_id = ip.id;
    segment.payload = ip.payload;
    segment.cut = ip.cut();
    segment.fragment = false;
    segment.later_fragment = false;
    segment.packets = 1;
    segment.tcp = {};
    segment.icmp.reset();
}

// A datagram from its beginning on.
Skipped take_apart(const IpPacket& ip, const Arrival& arrival, Segment& segment) {
    describe_ip(ip, arrival, segment);
    switch (segment.carrier) {
        case Carrier::udp: return take_udp(ip.payload, segment) ? Skipped::no : Skipped::malformed;
        case Carrier::tcp: return take_tcp(ip.payload, segment) ? Skipped::no : Skipped::malformed;
        case Carrier::icmp:
            take_icmp(ip.payload, ip.protocol == ip_protocol::icmpv6, segment);
            break;
        case Carrier::other: break;
    }
    return Skipped::no;
}

// The same of what was put together, whose extension headers are still to be read.
Skipped take_apart(Datagram datagram, Segment& segment) {
    IpPacket& ip = datagram.ip;
    if (!skip_extensions(ip) || ip.is_fragment()) return Skipped::malformed;
    const Skipped skipped = take_apart(ip, datagram.arrival, segment);
    segment.packets = datagram.fragments;
    return skipped;
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

Dissector::Dissector(OnIncomplete on_incomplete)
    : on_incomplete_(std::move(on_incomplete)), fragments_([this](const Datagram& datagram) {
          Segment segment;
          const bool read = take_apart(datagram, segment) == Skipped::no;
          if (read) on_incomplete_(segment, datagram.arrival);
      }) {}

Skipped Dissector::dissect(const Packet& packet, Segment& segment) {
    const std::optional<LinkPayload> link = link_payload(packet);
    if (!link) return is_known(packet.link_type) ? Skipped::not_ip : Skipped::unknown_link;
    const std::optional<IpPacket> ip = parse_ip(link->ip);
    if (!ip) return Skipped::malformed;
    time_ns_ = packet.time_ns.value_or(time_ns_);
    const Arrival arrival{
        packet.number, time_ns_, packet.interface,
        packet.direction == Direction::unknown ? link->direction : packet.direction,
        link->to_group || is_group_address(ip->to)};
    if (!ip->is_fragment()) return take_apart(*ip, arrival, segment);
    return take_fragment(*ip, arrival, segment);
}

Skipped Dissector::take_fragment(const IpPacket& ip, const Arrival& arrival, Segment& segment) {
    const bool of_interest =
        carrier_of(ip.protocol) != Carrier::other || is_extension_header(ip.protocol);
    if (of_interest) {
        Datagram datagram;
        const Fragments::Taken taken = fragments_.add(ip, arrival, datagram);
        if (taken == Fragments::Taken::malformed) return Skipped::malformed;
        if (taken == Fragments::Taken::whole) return take_apart(std::move(datagram), segment);
        Segment first;
        const bool has_first = taken == Fragments::Taken::held && !datagram.ip.payload.empty() &&
                               take_apart(std::move(datagram), first) == Skipped::no;
        if (has_first && ip.fragment_offset == 0) {
            segment = first;
            segment.packets = 1;
        } else {
            describe_ip(ip, arrival, segment);
            if (has_first) {
                segment.carrier = first.carrier;
                segment.from = first.from;
                segment.to = first.to;
            }
        }
    } else {
        describe_ip(ip, arrival, segment);
    }
    segment.cut = true;
    segment.fragment = of_interest;
    segment.later_fragment = ip.fragment_offset != 0;
    return Skipped::no;
}

}  // namespace p2pdiag::capture
