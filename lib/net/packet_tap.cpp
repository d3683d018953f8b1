#include "net/packet_tap.hpp"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "net/deadline.hpp"
#include "net/error.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kept_bytes = 1500;
constexpr std::uint8_t udp = 17;  // as protocol and as next header
constexpr std::size_t udp_size = 8;
constexpr std::size_t ipv4_size = 20;  // at least
constexpr std::size_t ipv6_size = 40;

constexpr std::uint32_t port_offset = 2;  // of the destination, in the UDP header
constexpr std::uint32_t cookie_offset =
    8 + 4;  // RFC 8489 section 5: the second word of the payload

// The kernel hands over datagrams with this value (of size BPF_H or BPF_W) so far behind the begin
// of their UDP header, so that busy traffic costs nothing. The socket is of SOCK_DGRAM: offsets
// count from the IP header. A jump goes on so many instructions further.
using Filter = std::array<sock_filter, 17>;
Filter udp_with(std::uint16_t size, std::uint32_t offset, std::uint32_t value) {
    const auto load = static_cast<std::uint16_t>(BPF_LD | size | BPF_IND);
    return {{
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},           // 0: the version
        {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0},       // 1
        {BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 0x60},       // 2: IPv6: to 10
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 11, 0x40},      // 3: not IPv4: to 15
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, 9},           // 4: the protocol
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 9, udp},        // 5: to 15
        {BPF_LD | BPF_H | BPF_ABS, 0, 0, 6},           // 6: the fragment's offset
        {BPF_JMP | BPF_JSET | BPF_K, 7, 0, 0x1fff},    // 7: not the first one: to 15
        {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},          // 8: x = length of the IPv4 header
        {BPF_JMP | BPF_JA, 0, 0, 3},                   // 9: to 13
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, 6},           // 10: the next header
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, udp},        // 11: to 15
        {BPF_LDX | BPF_W | BPF_IMM, 0, 0, ipv6_size},  // 12
        {load, 0, 0, offset},                          // 13
        {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value},      // 14: to 16
        {BPF_RET | BPF_K, 0, 0, 0},                    // 15
        {BPF_RET | BPF_K, 0, 0, kept_bytes},           // 16
    }};
}

IpAddress v4_address(ByteView bytes) {
    return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

IpAddress v6_address(ByteView bytes) {
    std::array<std::uint8_t, 16> raw{};
    std::copy(bytes.begin(), bytes.end(), raw.begin());
    return IpAddress::v6(raw);
}

// The UDP part of a packet between these two.
std::optional<TappedDatagram> parse_udp(ByteView bytes, const IpAddress& from,
                                        const IpAddress& to) {
    ByteReader reader(bytes);
    TappedDatagram datagram;
    datagram.from = {from, reader.u16()};
    datagram.to = {to, reader.u16()};
    const std::size_t length = reader.u16();
    reader.u16();  // the checksum
    if (!reader.ok() || length < udp_size) return std::nullopt;
    datagram.payload = reader.take(std::min(length - udp_size, reader.remaining()));
    return datagram;
}

// RFC 791 section 3.1.
std::optional<TappedDatagram> parse_ipv4(ByteView packet) {
    const std::size_t header = std::size_t{4} * (packet[0] & 0x0f);
    if (header < ipv4_size || packet.size() < header || packet[9] != udp) return std::nullopt;
    const std::size_t total = std::size_t{packet[2]} << 8 | packet[3];
    const std::size_t fragment_offset = (std::size_t{packet[6]} << 8 | packet[7]) & 0x1fff;
    if (total < header || fragment_offset != 0) return std::nullopt;
    const ByteView whole = packet.first(std::min(total, packet.size()));
    return parse_udp(whole.subspan(header), v4_address(whole.subspan(12)),
                     v4_address(whole.subspan(16)));
}

// RFC 8200 section 3.
std::optional<TappedDatagram> parse_ipv6(ByteView packet) {
    if (packet.size() < ipv6_size || packet[6] != udp) return std::nullopt;
    const std::size_t length = std::size_t{packet[4]} << 8 | packet[5];
    const ByteView rest = packet.subspan(ipv6_size);
    return parse_udp(rest.first(std::min(length, rest.size())), v6_address(packet.subspan(8, 16)),
                     v6_address(packet.subspan(24, 16)));
}

}  // namespace

std::optional<TappedDatagram> parse_udp_packet(ByteView packet) {
    if (packet.size() < ipv4_size) return std::nullopt;
    switch (packet[0] >> 4) {
        case 4: return parse_ipv4(packet);
        case 6: return parse_ipv6(packet);
        default: return std::nullopt;
    }
}

Result<PacketTap> PacketTap::open(const asio::any_io_executor& executor, std::uint16_t udp_port) {
    return open_with(executor, BPF_H, port_offset, udp_port);
}

Result<PacketTap> PacketTap::open_stun(const asio::any_io_executor& executor) {
    return open_with(executor, BPF_W, cookie_offset, stun::magic_cookie);
}

Result<PacketTap> PacketTap::open_with(const asio::any_io_executor& executor, std::uint16_t size,
                                       std::uint32_t offset, std::uint32_t value) {
    // Of no protocol, so that nothing comes in before the filter is there.
    const int fd = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return last_error();
    asio::posix::stream_descriptor socket(executor, fd);
    Filter filter = udp_with(size, offset, value);
    const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    const int on = 1;
    if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
        ::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0) {
        return last_error();
    }
    sockaddr_ll everywhere{};
    everywhere.sll_family = AF_PACKET;
    everywhere.sll_protocol = htons(ETH_P_ALL);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&everywhere), sizeof everywhere) != 0) {
        return last_error();
    }
    return PacketTap(std::move(socket));
}

asio::awaitable<bool> PacketTap::wait(TimePoint until) {
    if (until <= Clock::now()) co_return false;
    auto readable =
        socket_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    const bool arrived = co_await in_time(until, std::move(readable));
    co_return arrived;
}

bool PacketTap::receive(const std::function<void(const TappedDatagram&)>& on_datagram,
                        unsigned most) {
    std::array<std::uint8_t, kept_bytes> buffer;
    bool any = false;
    for (unsigned i = 0; i < most; ++i) {
        const ssize_t received =
            ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (received < 0) break;
        any = true;
        const ByteView packet(buffer.data(), static_cast<std::size_t>(received));
        if (const auto datagram = parse_udp_packet(packet)) on_datagram(*datagram);
    }
    return any;
}

}  // namespace p2pdiag::net
