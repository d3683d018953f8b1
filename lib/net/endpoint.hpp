// The one place where our endpoints become those of Asio and of the socket API, and back.
#pragma once

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <optional>

#include "base/address.hpp"

namespace p2pdiag::net {

// `interface` is the index of the link that a link-local IPv6 address belongs to (RFC 4007); it
// changes nothing for any other address.
boost::asio::ip::udp::endpoint to_udp(const Endpoint& endpoint, int interface = 0);
boost::asio::ip::tcp::endpoint to_tcp(const Endpoint& endpoint, int interface = 0);
Endpoint from_asio(const boost::asio::ip::udp::endpoint& endpoint);
Endpoint from_asio(const boost::asio::ip::tcp::endpoint& endpoint);

// The size in use; `storage` is filled. `interface` as above.
socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& storage, int interface = 0);
// IPv4-mapped IPv6 addresses come out as IPv4. Nothing for a family that is not IP.
std::optional<Endpoint> from_sockaddr(const sockaddr* address);

}  // namespace p2pdiag::net
