// A UDP socket for measuring: not connected, so that datagrams from the wrong address are seen;
// one family only; and with the ICMP errors that Linux keeps for each datagram sent.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/error_queue.hpp"

namespace p2pdiag::net {

enum class Fragmentation {
    never,   // a packet that is too big for a link on the way is lost there
    allowed  // it goes on in pieces, made there (IPv4) or here (IPv6)
};

class UdpSocket {
public:
    // Bound to no address of the family in particular; port 0 = one that the kernel picks.
    static Result<UdpSocket> open(const boost::asio::any_io_executor& executor, Family family,
                                  std::uint16_t port = 0);
    // Bound to `local`, and sending by the link of this index alone, which is also the one that
    // link-local destinations belong to; 0 = by whichever link the routing tables name.
    static Result<UdpSocket> open_on(const boost::asio::any_io_executor& executor,
                                     const IpAddress& local, int interface, std::uint16_t port = 0);

    Family family() const { return family_; }
    Endpoint local() const { return local_; }

    // Never waits: a full send buffer is reported as would_block and is a lost datagram. `ttl` from
    // 1 to 255 for this datagram alone. An ICMP error that came for an earlier datagram is never
    // reported here.
    ErrorCode send(ByteView datagram, const Endpoint& to, std::optional<int> ttl = std::nullopt);

    // For what is sent from now on. Else the kernel decides by what it knows of the path.
    ErrorCode set_fragmentation(Fragmentation mode);

    // Until a datagram or an ICMP error is there, or the time has come; true for the former. Throws
    // operation_aborted when cancelled.
    boost::asio::awaitable<bool> wait(TimePoint until);

    using OnDatagram = std::function<void(const Endpoint& from, ByteView datagram)>;
    using OnError = std::function<void(const SendError& error)>;
    // Hands over what is there, at most `most` of each kind, so that a flood cannot hold the
    // caller; false when nothing was. The view is valid during the call only.
    bool receive(const OnDatagram& on_datagram, const OnError& on_error, unsigned most = 64);

private:
    UdpSocket(boost::asio::ip::udp::socket socket, Family family, int interface);
    static Result<UdpSocket> open_bound(const boost::asio::any_io_executor& executor, Family family,
                                        const boost::asio::ip::udp::endpoint& local, int interface);
    bool receive_error(const OnError& on_error);

    boost::asio::ip::udp::socket socket_;
    Family family_;
    int interface_;
    Endpoint local_;
};

}  // namespace p2pdiag::net
