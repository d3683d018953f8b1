// Packets built layer by layer, right and wrong.
#pragma once

#include <initializer_list>
#include <stdexcept>
#include <string>

#include "base/address.hpp"
#include "base/bytes.hpp"

namespace p2pdiag::testing {

inline Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

inline Endpoint at(const std::string& text) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) throw std::invalid_argument(text);
    return *endpoint;
}

inline const Endpoint client = at("192.168.7.2:4000");
inline const Endpoint server = at("11.22.33.10:3478");
inline const Endpoint client6 = at("[fd00::2]:4000");
inline const Endpoint server6 = at("[2001:db8::1]:3478");

inline Bytes udp(std::uint16_t from, std::uint16_t to, ByteView payload) {
    ByteWriter writer;
    writer.u16(from);
    writer.u16(to);
    writer.u16(static_cast<std::uint16_t>(8 + payload.size()));
    writer.u16(0);
    writer.append(payload);
    return writer.take();
}

struct TcpFlags {
    bool syn = false, ack = false, rst = false, fin = false;
};

inline Bytes tcp(std::uint16_t from, std::uint16_t to, std::uint32_t sequence, TcpFlags flags,
                 ByteView payload = {}) {
    ByteWriter writer;
    writer.u16(from);
    writer.u16(to);
    writer.u32(sequence);
    writer.u32(0);
    writer.u8(0x50);
    writer.u8(static_cast<std::uint8_t>((flags.fin ? 1 : 0) | (flags.syn ? 2 : 0) |
                                        (flags.rst ? 4 : 0) | (flags.ack ? 16 : 0)));
    writer.zeros(6);
    writer.append(payload);
    return writer.take();
}

struct IpOptions {
    std::uint16_t id = 0;
    std::uint16_t fragment = 0;  // flags and offset, as in the header
    std::uint8_t ttl = 64;
};

inline Bytes ipv4(const IpAddress& from, const IpAddress& to, std::uint8_t protocol,
                  ByteView payload, IpOptions options = {}) {
    ByteWriter writer;
    writer.u8(0x45);
    writer.u8(0);
    writer.u16(static_cast<std::uint16_t>(20 + payload.size()));
    writer.u16(options.id);
    writer.u16(options.fragment);
    writer.u8(options.ttl);
    writer.u8(protocol);
    writer.u16(0);
    writer.append(ByteView(from.bytes()).first(4));
    writer.append(ByteView(to.bytes()).first(4));
    writer.append(payload);
    return writer.take();
}

inline Bytes ipv6(const IpAddress& from, const IpAddress& to, std::uint8_t next, ByteView payload) {
    ByteWriter writer;
    writer.u32(0x60000000);
    writer.u16(static_cast<std::uint16_t>(payload.size()));
    writer.u8(next);
    writer.u8(64);
    writer.append(from.bytes());
    writer.append(to.bytes());
    writer.append(payload);
    return writer.take();
}

// A datagram or segment with the IP header that its addresses want.
inline Bytes ip_packet(const Endpoint& from, const Endpoint& to, std::uint8_t protocol,
                       ByteView payload) {
    return from.address.is_v4() ? ipv4(from.address, to.address, protocol, payload)
                                : ipv6(from.address, to.address, protocol, payload);
}
inline Bytes udp_packet(const Endpoint& from, const Endpoint& to, ByteView payload) {
    return ip_packet(from, to, 17, udp(from.port, to.port, payload));
}
inline Bytes tcp_packet(const Endpoint& from, const Endpoint& to, std::uint32_t sequence,
                        TcpFlags flags, ByteView payload = {}) {
    return ip_packet(from, to, 6, tcp(from.port, to.port, sequence, flags, payload));
}

// An ICMP error about `packet`.
inline Bytes icmp_error(const IpAddress& from, const IpAddress& to, std::uint8_t type,
                        std::uint8_t code, ByteView packet) {
    ByteWriter writer;
    writer.u8(type);
    writer.u8(code);
    writer.zeros(6);
    writer.append(packet);
    return ipv4(from, to, 1, writer.view());
}

inline Bytes ethernet(std::uint16_t type, ByteView payload) {
    ByteWriter writer;
    writer.zeros(12);
    writer.u16(type);
    writer.append(payload);
    return writer.take();
}

}  // namespace p2pdiag::testing
