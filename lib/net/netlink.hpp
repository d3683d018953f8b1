// Inside of lib/net: questions to the kernel's tables of routes and links (rtnetlink), of sockets
// (sock_diag), and of IPsec (xfrm), which alone needs privilege. Sends nothing to any network.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

// The body of a netlink message: a fixed header T of the kernel's, then attributes.
using OnNetlinkMessage = std::function<void(std::uint16_t type, ByteView body)>;

enum class NetlinkTable { routes, sockets, transforms };  // the last: of IPsec

// One request (NLM_F_REQUEST is added to `flags`) and all of its answers. The kernel's own errno
// as the error.
ErrorCode netlink_request(NetlinkTable table, std::uint16_t type, std::uint16_t flags,
                          ByteView body, const OnNetlinkMessage& on_message);
// Of NetlinkTable::routes.
ErrorCode netlink_request(std::uint16_t type, std::uint16_t flags, ByteView body,
                          const OnNetlinkMessage& on_message);

// A copy of the fixed header, or nothing when the body is too short for it.
template <class T>
std::optional<T> netlink_header(ByteView body) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (body.size() < sizeof(T)) return std::nullopt;
    T header;
    std::memcpy(&header, body.data(), sizeof header);
    return header;
}

// The value of the first attribute of this type after `header_size` bytes; empty when there is
// none.
ByteView netlink_attribute(ByteView body, std::size_t header_size, std::uint16_t type);

// The types of all attributes there, in their order.
std::vector<std::uint16_t> netlink_attribute_types(ByteView body, std::size_t header_size);

std::optional<std::uint32_t> netlink_u32(ByteView value);  // host byte order
std::string netlink_text(ByteView value);                  // up to the first NUL
std::optional<IpAddress> netlink_address(ByteView value);  // four or sixteen bytes

}  // namespace p2pdiag::net
