// Packets for tests, from the Ethernet header on.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"

namespace p2pdiag::capture_plugin::testing {

struct Made {
    IpAddress from = IpAddress::v4(0xC0000201);  // 192.0.2.1
    IpAddress to = IpAddress::v4(0xC6336402);    // 198.51.100.2
    std::uint8_t protocol = 17;
    std::uint16_t from_port = 40000;
    std::uint16_t to_port = 9;
    std::uint8_t tcp_flags = 0x10;      // ACK
    std::uint16_t fragment_offset = 0;  // in units of 8 bytes
    std::size_t vlan_tags = 0;
    bool v6_fragment = false;
    Bytes payload{};
};

inline void append_address(ByteWriter& out, const IpAddress& address) {
    const std::size_t size = address.is_v4() ? 4 : 16;
    out.append(ByteView(address.bytes()).first(size));
}

inline Bytes transport_of(const Made& made) {
    ByteWriter out;
    if (made.fragment_offset != 0) return made.payload;
    if (made.protocol == 17) {
        out.u16(made.from_port);
        out.u16(made.to_port);
        out.u16(static_cast<std::uint16_t>(8 + made.payload.size()));
        out.u16(0);
    } else if (made.protocol == 6) {
        out.u16(made.from_port);
        out.u16(made.to_port);
        out.u32(1);
        out.u32(1);
        out.u8(0x50);
        out.u8(made.tcp_flags);
        out.u16(1000);
        out.u32(0);
    }
    out.append(made.payload);
    return out.take();
}

inline Bytes ip_packet(const Made& made) {
    const Bytes transport = transport_of(made);
    ByteWriter out;
    if (made.from.is_v4()) {
        out.u16(0x4500);
        out.u16(static_cast<std::uint16_t>(20 + transport.size()));
        out.u16(7);
        out.u16(made.fragment_offset);
        out.u8(64);
        out.u8(made.protocol);
        out.u16(0);
    } else {
        const std::size_t extra = made.v6_fragment ? 8 : 0;
        out.u32(0x60000000);
        out.u16(static_cast<std::uint16_t>(transport.size() + extra));
        out.u8(made.v6_fragment ? 44 : made.protocol);
        out.u8(64);
    }
    append_address(out, made.from);
    append_address(out, made.to);
    if (made.v6_fragment) {
        out.u8(made.protocol);
        out.u8(0);
        out.u16(static_cast<std::uint16_t>(made.fragment_offset << 3));
        out.u32(7);
    }
    out.append(transport);
    return out.take();
}

inline Bytes ethernet(const Made& made) {
    ByteWriter out;
    out.zeros(12);
    for (std::size_t tag = 0; tag < made.vlan_tags; ++tag) {
        out.u16(tag + 1 < made.vlan_tags ? 0x88a8 : 0x8100);
        out.u16(5);
    }
    out.u16(made.from.is_v4() ? 0x0800 : 0x86dd);
    out.append(ip_packet(made));
    return out.take();
}

}  // namespace p2pdiag::capture_plugin::testing
