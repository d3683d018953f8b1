#include "net/random.hpp"

#include <sys/random.h>

#include <random>

namespace p2pdiag::net {

void fill_random(std::span<std::uint8_t> bytes) {
    const ssize_t filled = ::getrandom(bytes.data(), bytes.size(), 0);
    if (filled == static_cast<ssize_t>(bytes.size())) return;
    std::random_device device;  // a sandbox without getrandom()
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(device());
}

}  // namespace p2pdiag::net
