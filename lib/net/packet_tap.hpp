// UDP datagrams as they come in at the network interfaces, before this machine's own firewall and
// whatever program listens. Needs CAP_NET_RAW.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

struct TappedDatagram {
    Endpoint from;
    Endpoint to;
    ByteView payload;
};

// Reads one IPv4 or IPv6 packet, from its IP header on, that may be cut short at the end. Nothing
// where it is no UDP, a fragment, or has IPv6 extension headers. Pure.
std::optional<TappedDatagram> parse_udp_packet(ByteView packet);

class PacketTap {
public:
    // Sees datagrams of both families to this UDP port that arrive after it was opened, at any
    // interface. The error is that of the kernel: operation_not_permitted without the privilege.
    static Result<PacketTap> open(const boost::asio::any_io_executor& executor,
                                  std::uint16_t udp_port);
    // The same for STUN messages (RFC 8489 section 5: those with the magic cookie) to any port.
    static Result<PacketTap> open_stun(const boost::asio::any_io_executor& executor);

    // Until something is there, or the time has come; true for the former. Throws operation_aborted
    // when cancelled.
    boost::asio::awaitable<bool> wait(TimePoint until);

    // Hands over what is there, at most `most` and of each the first 1500 bytes; false when nothing
    // was. The views are valid during the call only.
    bool receive(const std::function<void(const TappedDatagram&)>& on_datagram, unsigned most = 64);

private:
    explicit PacketTap(boost::asio::posix::stream_descriptor socket) : socket_(std::move(socket)) {}
    static Result<PacketTap> open_with(const boost::asio::any_io_executor& executor,
                                       std::uint16_t size, std::uint32_t offset,
                                       std::uint32_t value);

    boost::asio::posix::stream_descriptor socket_;
};

}  // namespace p2pdiag::net
