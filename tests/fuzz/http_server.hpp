// What the fuzz targets of HTTP and of UPnP routers share: a server on every address of loopback.
#pragma once

#include <sys/socket.h>

#include <cstdlib>
#include <string>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "net/endpoint.hpp"

namespace p2pdiag::fuzz {

inline void require(bool holds) {
    if (!holds) std::abort();
}

// Answers one request at a time, with what it was told.
class HttpServer {
public:
    HttpServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_storage storage;
        socklen_t size = net::to_sockaddr({IpAddress(), 0}, storage);
        auto* address = reinterpret_cast<sockaddr*>(&storage);
        require(::bind(listener_.get(), address, size) == 0);
        require(::listen(listener_.get(), 16) == 0);
        size = sizeof storage;
        require(::getsockname(listener_.get(), address, &size) == 0);
        port_ = net::from_sockaddr(address)->port;
    }

    std::uint16_t port() const { return port_; }

    // Another address each time: ports of closed connections stay taken for a while.
    IpAddress next_address() { return IpAddress::v4(0x7f000001 + next_++ % 0x10000); }

    // With what `reply` makes of the request, or not at all where that is nothing. False when the
    // client closed without a request.
    template <class Reply>
    bool answer(Reply reply) const {
        const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::string request;
        while (!is_whole(request)) {
            char buffer[4096];
            const ssize_t got = ::recv(connection.get(), buffer, sizeof buffer, 0);
            if (got <= 0) return false;
            request.append(buffer, static_cast<std::size_t>(got));
        }
        const auto made = reply(request);
        const char* at = reinterpret_cast<const char*>(made.data());
        for (std::size_t left = made.size(); left > 0;) {
            const ssize_t sent = ::send(connection.get(), at, left, MSG_NOSIGNAL);
            if (sent <= 0) break;
            at += sent;
            left -= static_cast<std::size_t>(sent);
        }
        return true;
    }

private:
    // As our client writes it.
    static bool is_whole(const std::string& request) {
        return request.starts_with("POST ") ? request.ends_with("Envelope>\r\n")
                                            : request.ends_with("\r\n\r\n");
    }

    Fd listener_;
    std::uint16_t port_ = 0;
    std::uint32_t next_ = 0;
};

}  // namespace p2pdiag::fuzz
