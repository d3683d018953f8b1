// ICMP echo (ping): by the datagram socket that Linux allows users of net.ipv4.ping_group_range, or
// by a raw socket where this process may open one.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/error_queue.hpp"

namespace p2pdiag::net {

class EchoSocket {
public:
    // The error is that of the kernel; not_permitted() tells a lack of privilege.
    static Result<EchoSocket> open(const boost::asio::any_io_executor& executor, Family family);
    static bool not_permitted(const ErrorCode& error);

    // Never waits. `interface` is the index of the link of a link-local destination.
    ErrorCode send(const IpAddress& to, int interface, std::uint16_t sequence);

    // As UdpSocket's.
    boost::asio::awaitable<bool> wait(TimePoint until);

    struct Reply {
        IpAddress from;
        std::uint16_t sequence = 0;
    };
    // Takes what is there, at most 64 of each: replies to requests of this socket, and ICMP errors
    // about them.
    void receive(std::vector<Reply>& replies, std::vector<SendError>& errors);

private:
    EchoSocket(boost::asio::posix::stream_descriptor socket, Family family, bool raw);
    std::optional<Reply> read_reply(const IpAddress& from, ByteView packet) const;

    boost::asio::posix::stream_descriptor socket_;
    Family family_;
    bool raw_;
    std::uint16_t identifier_ = 0;  // raw only: the kernel gives a datagram socket one of its own
};

// A series of requests to one address, evenly spaced.
struct PingPlan {
    unsigned count = 16;
    Milliseconds interval{60};
    // After the last request, or three times the longest round trip where that is more (never above
    // a second).
    Milliseconds tail{350};
};

struct PingResult {
    unsigned sent = 0;
    std::vector<std::chrono::microseconds> round_trips;  // in the order in which they came
    std::optional<ErrorCode> error;                      // nothing could be sent, and why
    std::optional<SendError> first_error;                // that ICMP reported
};

boost::asio::awaitable<PingResult> ping(IpAddress to, int interface, PingPlan plan);

}  // namespace p2pdiag::net
