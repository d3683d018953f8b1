#include "wire/icmp/message.hpp"

#include <algorithm>
#include <array>

namespace p2pdiag::icmp {

namespace {

// RFC 792 and RFC 4443 section 4.
constexpr std::uint8_t echo_request_v4 = 8;
constexpr std::uint8_t echo_reply_v4 = 0;
constexpr std::uint8_t echo_request_v6 = 128;
constexpr std::uint8_t echo_reply_v6 = 129;
constexpr std::size_t header_size = 8;

constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t udp = 17;

// RFC 1071: the one's complement of the one's complement sum of 16-bit words.
std::uint16_t checksum(ByteView bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        sum += i % 2 == 0 ? static_cast<std::uint32_t>(bytes[i]) << 8 : bytes[i];
    }
    while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

IpAddress read_address(ByteReader& reader, bool v4) {
    if (v4) return IpAddress::v4(reader.u32());
    std::array<std::uint8_t, 16> bytes{};
    const ByteView taken = reader.take(bytes.size());
    std::copy(taken.begin(), taken.end(), bytes.begin());
    return IpAddress::v6(bytes);
}

Meaning unreachable_v4(std::uint8_t code) {
    // RFC 1812 section 5.2.7.1, RFC 1122 section 3.2.2.1.
    switch (code) {
        case 0:
        case 6:
        case 11: return Meaning::network_unreachable;
        case 1:
        case 7:
        case 8:
        case 12: return Meaning::host_unreachable;
        case 2:
        case 3: return Meaning::port_unreachable;
        case 4: return Meaning::too_big;
        case 9:
        case 10:
        case 13: return Meaning::prohibited;
        default: return Meaning::other;
    }
}

Meaning unreachable_v6(std::uint8_t code) {
    // RFC 4443 section 3.1.
    switch (code) {
        case 0: return Meaning::network_unreachable;
        case 1:
        case 5:
        case 6: return Meaning::prohibited;
        case 2:
        case 3: return Meaning::host_unreachable;
        case 4: return Meaning::port_unreachable;
        default: return Meaning::other;
    }
}

}  // namespace

Bytes encode_echo_request(Family family, const Echo& echo) {
    const bool v4 = family == Family::ipv4;
    ByteWriter writer;
    writer.u8(v4 ? echo_request_v4 : echo_request_v6);
    writer.u8(0);
    writer.u16(0);
    writer.u16(echo.identifier);
    writer.u16(echo.sequence);
    writer.append(echo.payload);
    if (v4) writer.patch_u16(2, checksum(writer.view()));
    return writer.take();
}

std::optional<Echo> parse_echo_reply(Family family, ByteView message) {
    ByteReader reader(message);
    const std::uint8_t type = reader.u8();
    const std::uint8_t code = reader.u8();
    reader.u16();
    Echo echo;
    echo.identifier = reader.u16();
    echo.sequence = reader.u16();
    echo.payload = reader.take(reader.remaining());
    const std::uint8_t wanted = family == Family::ipv4 ? echo_reply_v4 : echo_reply_v6;
    if (!reader.ok() || type != wanted || code != 0) return std::nullopt;
    return echo;
}

std::optional<std::uint16_t> echo_identifier(Family family, ByteView message) {
    ByteReader reader(message);
    const bool v4 = family == Family::ipv4;
    const std::uint8_t type = reader.u8();
    const bool echo = type == (v4 ? echo_request_v4 : echo_request_v6) ||
                      type == (v4 ? echo_reply_v4 : echo_reply_v6);
    reader.take(3);
    const std::uint16_t identifier = reader.u16();
    if (!echo || !reader.ok()) return std::nullopt;
    return identifier;
}

ByteView without_ipv4_header(ByteView packet) {
    if (packet.empty() || packet[0] >> 4 != 4) return {};
    const std::size_t size = (packet[0] & 0x0F) * std::size_t{4};
    if (size < 20 || size > packet.size()) return {};
    return packet.subspan(size);
}

std::string_view to_string(Meaning meaning) {
    switch (meaning) {
        case Meaning::port_unreachable: return "port-unreachable";
        case Meaning::host_unreachable: return "host-unreachable";
        case Meaning::network_unreachable: return "network-unreachable";
        case Meaning::prohibited: return "prohibited";
        case Meaning::time_exceeded: return "time-exceeded";
        case Meaning::too_big: return "too-big";
        case Meaning::other: break;
    }
    return "other";
}

Meaning meaning(Family family, std::uint8_t type, std::uint8_t code) {
    if (family == Family::ipv4) {
        if (type == 3) return unreachable_v4(code);
        return type == 11 ? Meaning::time_exceeded : Meaning::other;
    }
    if (type == 1) return unreachable_v6(code);
    if (type == 2) return Meaning::too_big;
    return type == 3 ? Meaning::time_exceeded : Meaning::other;
}

bool is_error(Family family, std::uint8_t type) {
    if (family == Family::ipv6) return type < 128;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

std::optional<Error> parse_error(Family family, ByteView message) {
    const bool v4 = family == Family::ipv4;
    ByteReader reader(message);
    Error error;
    error.type = reader.u8();
    error.code = reader.u8();
    reader.take(header_size - 2);
    if (!reader.ok() || !is_error(family, error.type)) return std::nullopt;

    // The header of the packet that caused it. One with IPv6 extension headers is not looked into:
    // what this machine sends has none.
    const std::uint8_t first = reader.u8();
    if (first >> 4 != (v4 ? 4 : 6)) return std::nullopt;
    if (v4) {
        reader.take(8);
        error.protocol = reader.u8();
        reader.take(2 + 4);
        error.destination.address = read_address(reader, true);
        const std::size_t size = (first & 0x0F) * std::size_t{4};
        if (size < 20) return std::nullopt;
        reader.take(size - 20);
    } else {
        reader.take(5);
        error.protocol = reader.u8();
        reader.take(1 + 16);
        error.destination.address = read_address(reader, false);
    }
    if (error.protocol == tcp || error.protocol == udp) {
        error.source_port = reader.u16();
        error.destination.port = reader.u16();
    }
    if (!reader.ok()) return std::nullopt;
    return error;
}

}  // namespace p2pdiag::icmp
