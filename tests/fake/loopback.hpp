// Places on loopback for servers that tests play.
#pragma once

#include <sys/socket.h>

#include <random>

#include "base/address.hpp"
#include "base/fd.hpp"
#include "net/endpoint.hpp"

namespace p2pdiag::testing {

// One of 16 million; ours alone, unless a test that runs beside this one has the same luck.
inline IpAddress any_loopback_address() {
    std::random_device device;
    std::uniform_int_distribution<std::uint32_t> low_bits(0x010000, 0xfffffe);
    return IpAddress::v4(0x7f000000 | low_bits(device));
}

// A bound socket of this type, listening where it is a stream. Not open when the place is taken.
inline Fd open_at(int type, const Endpoint& local, bool shared = false) {
    Fd fd(::socket(local.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (shared) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage storage;
    const socklen_t size = net::to_sockaddr(local, storage);
    const auto* address = reinterpret_cast<const sockaddr*>(&storage);
    if (::bind(fd.get(), address, size) != 0) fd.reset();
    if (fd.open() && type == SOCK_STREAM && ::listen(fd.get(), 16) != 0) fd.reset();
    return fd;
}

inline Endpoint local_of(const Fd& fd) {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getsockname(fd.get(), address, &size) != 0) return {};
    return net::from_sockaddr(address).value_or(Endpoint{});
}

}  // namespace p2pdiag::testing
