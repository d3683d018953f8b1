// ICMP errors as they come in for any packet of this machine. TCP sockets have no error queue, so
// only this tells which router refused a connection. Needs CAP_NET_RAW.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "wire/icmp/message.hpp"

namespace p2pdiag::net {

class IcmpWatch {
public:
    // The error is that of the kernel: operation_not_permitted without the privilege.
    static Result<IcmpWatch> open(const boost::asio::any_io_executor& executor, Family family);

    // As UdpSocket's.
    boost::asio::awaitable<bool> wait(TimePoint until);

    // Takes what is there, at most 64.
    void receive(const std::function<void(const IpAddress& from, const icmp::Error&)>& on_error);

private:
    IcmpWatch(boost::asio::posix::stream_descriptor socket, Family family)
        : socket_(std::move(socket)), family_(family) {}

    boost::asio::posix::stream_descriptor socket_;
    Family family_;
};

}  // namespace p2pdiag::net
